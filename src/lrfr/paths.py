"""Every artefact's place, relative to the project's root, where every command is run."""

from pathlib import Path

PARAMS = Path("params.yaml")
VERDICTS = Path("annotations/verdicts")
GOLD = Path("annotations/gold.csv")

PHOTOS = Path("data/acquired/photos.parquet")
TAGS = Path("data/acquired/tags.parquet")
TRUTH = Path("data/acquired/truth.parquet")
CUT_FACES = Path("data/acquired/faces.parquet")
UNUSED = Path("data/acquired/excluded.parquet")

REVIEW_LOCKS = Path("data/review")

DETECTED_NATIVE = Path("data/detected/native.parquet")
DETECTED_AUXILIARY = Path("data/detected/auxiliary.parquet")
DETECTED_UNRECOGNIZABLE = Path("data/detected/unrecognizable.parquet")
WITHOUT_FACE = Path("data/detected/without_face.csv")
DETECTION_METRICS = Path("metrics/detection.json")

CURATED_NATIVE = Path("data/curated/native.parquet")
CURATED_AUXILIARY = Path("data/curated/auxiliary.parquet")
EXCLUDED = Path("data/curated/excluded.parquet")
FINDINGS = Path("data/curated/findings.parquet")
SIMULATED_VERDICTS = Path("data/curated/verdicts")
CURATION_METRICS = Path("metrics/curation.json")
LABELLER_METRICS = Path("metrics/labellers.json")
LABEL_ERRORS = Path("data/review/label_errors.csv")

BENCHMARK = Path("data/split/benchmark.parquet")
AUXILIARY = Path("data/split/auxiliary.parquet")
SYNLR = Path("data/synlr/faces.parquet")

VALIDATION_RESULT = Path("data/validation/result.json")
QUALITY_PAGE = Path("reports/quality.html")
SYNLR_VALIDATION = Path("data/validation_synthetic/synlr.json")
SYNTHETIC_VALIDATION = Path("data/validation_synthetic/synthetic.json")
SYNTHETIC_QUALITY_PAGE = Path("reports/quality_synthetic.html")
DATA_DOCS = Path("reports/data_docs")
DATA_CARD = Path("reports/data_card.html")
DATA_CARD_TEXT = Path("reports/data_card.md")
CROISSANT = Path("reports/croissant.json")

PRETRAINED = Path("models/pretrained")
LANDMARKS = Path("models/landmarks")
LANDMARK_METRICS = Path("metrics/landmarks.json")
LANDMARK_ERROR = Path("plots/landmarks/error.csv")
LANDMARK_CURVE = Path("plots/training/landmarks.csv")
EXAMPLES = Path("data/examples/super_resolved.parquet")
IMPORTED = Path("imported")
REPORTS = Path("reports")
REPORT = REPORTS / "index.html"
RELEASES = Path("releases")


def landmarks(collection: str) -> Path:
    """Where the landmark network found eyes, nose and mouth in the faces of a collection: auxiliary or native."""
    return Path("data/landmarks") / f"{collection}.parquet"


def synthetic(synthesizer: str) -> Path:
    """The face table of the synthetic LR faces that one synthesiser made."""
    return Path("data/synthetic") / f"{synthesizer}.parquet"


def drift_result(synthesizer: str) -> Path:
    """Evidently's JSON for native LR against one synthesiser's LR."""
    return Path("data/drift") / f"{synthesizer}.json"


def drift_page(synthesizer: str) -> Path:
    """Evidently's HTML for native LR against one synthesiser's LR."""
    return REPORTS / f"drift_{synthesizer}.html"


def model(method: str) -> Path:
    """The folder of one method's trained model."""
    return Path("models") / method


def checkpoint(training: str) -> Path:
    """The state of an unfinished training, of a method or of the pretraining."""
    return Path("checkpoints") / f"{training}.pt"


def test_set(test_set: str, table: str = "faces") -> Path:
    """One table of an imported test set: faces, pairs, enrolment or excluded."""
    return Path("data/test_sets") / test_set / f"{table}.parquet"


def live(training: str) -> Path:
    """The live curves of a training that runs; no stage's output."""
    return Path("live") / training


def embeddings(method: str, test_set: str = "benchmark") -> Path:
    """One method's embeddings of every image of a test set: ``benchmark``, ``synlr`` or an imported one."""
    return Path("data/embeddings") / method / f"{test_set}.npz"


def metrics(run: str) -> Path:
    """What one run reached on every test set, and what it learnt from."""
    return Path("metrics/runs") / f"{run}.json"


def evaluated(method: str) -> Path:
    """What became of each probe of the benchmark by one method, for paired tests between methods."""
    return Path("data/evaluated") / f"{method}.npz"


def curve(run: str, test_set: str, kind: str) -> Path:
    """One run's curve on a test set: ``benchmark``, ``synlr`` or an imported one; a ``kind`` as roc."""
    return Path("plots/sets") / run / test_set / f"{kind}.csv"


def training_curve(kind: str, name: str) -> Path:
    """How one training went; ``kind`` is backbones, runs or super_resolution."""
    return Path("plots/training") / kind / f"{name}.csv"


def super_resolver(name: str) -> Path:
    """The folder of one super-resolution network that was trained alone."""
    return Path("models/super_resolution") / name


def super_resolution_metrics(name: str) -> Path:
    """How true to the original one network's faces are."""
    return Path("metrics/super_resolution") / f"{name}.json"


def aligned(test_set: str) -> Path:
    """A test set's faces, aligned: ``benchmark`` or an imported one."""
    return Path("data/aligned") / f"{test_set}.parquet"


def super_resolved(name: str, test_set: str) -> Path:
    """A test set's faces after one super-resolution network."""
    return Path("data/super_resolved") / name / f"{test_set}.parquet"


def condition(name: str, test_set: str) -> Path:
    """A test set's faces under one condition: ``aligned`` or ``super_resolved_<network>``."""
    network = name.removeprefix("super_resolved_")
    return aligned(test_set) if network == name else super_resolved(network, test_set)
