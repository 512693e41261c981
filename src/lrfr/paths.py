"""Every artefact's place, relative to the project's root, where every command is run."""

from pathlib import Path

PARAMS = Path("params.yaml")
VERDICTS = Path("annotations/verdicts")
NAMES = Path("annotations/names")
PAIR_VERDICTS = Path("annotations/pairs")
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
CURATED_UNRECOGNIZABLE = Path("data/curated/unrecognizable.parquet")
EXCLUDED = Path("data/curated/excluded.parquet")
FINDINGS = Path("data/curated/findings.parquet")
SIMULATED_VERDICTS = Path("data/curated/verdicts")
CURATION_METRICS = Path("metrics/curation.json")
LABELLER_METRICS = Path("metrics/labellers.json")
LABEL_ERRORS = Path("data/review/label_errors.csv")

BENCHMARK = Path("data/split/benchmark.parquet")
AUXILIARY = Path("data/split/auxiliary.parquet")
UNRECOGNIZABLE = Path("data/split/unrecognizable.parquet")
SYNLR = Path("data/synlr/faces.parquet")

BATCHES = Path("data/validation/batches.json")
VALIDATION_RESULT = Path("data/validation/result.json")
VALIDATION_PASSED = Path("data/validation/passed.json")
QUALITY_PAGE = Path("reports/quality.html")
SYNLR_VALIDATION = Path("data/validation_synthetic/synlr.json")
SYNTHETIC_VALIDATION = Path("data/validation_synthetic/synthetic.json")
SYNTHETIC_QUALITY_PAGE = Path("reports/quality_synthetic.html")
DATA_DOCS = Path("reports/data_docs")
DATA_CARD = Path("reports/data_card.html")
DATA_CARD_TEXT = Path("reports/data_card.md")
CROISSANT = Path("reports/croissant.json")

LANDMARKS = Path("models/landmarks")
LANDMARK_METRICS = Path("metrics/landmarks.json")
LANDMARK_ERROR = Path("plots/landmarks/error.csv")
LANDMARK_CURVE = Path("plots/training/landmarks.csv")
AUXILIARY_LANDMARKS = Path("data/landmarks/auxiliary.parquet")
NATIVE_LANDMARKS = Path("data/landmarks/native.parquet")
UNRECOGNIZABLE_LANDMARKS = Path("data/landmarks/unrecognizable.parquet")
SUMMARY = Path("metrics/summary.json")
SCOREBOARD = Path("metrics/synthesizers.json")
EXAMPLES = Path("data/examples/super_resolved.parquet")
ACTIVATIONS = Path("data/examples/activations.parquet")
SUPER_RESOLUTION_NETWORKS = (Path("models/super_resolution/networks.json"), Path("data/super_resolved/networks.json"))
IMPORTED = Path("imported")
REPORTS = Path("reports")
REPORT = REPORTS / "index.html"
RELEASES = Path("releases")
SIGNED = Path("signed")
DECISIONS = Path("decisions")
ARRIVED = Path("data/arrivals")


def code(kind: str, name: str) -> Path:
    """The code that params.yaml names; ``kind`` is sources, test_sets, synthesizers, backbones or runs."""
    return Path("data/code") / kind / f"{name}.json"


def test_set(name: str, table: str = "faces") -> Path:
    """One table of an imported test set: faces, pairs, enrolment or excluded."""
    return Path("data/test_sets") / name / f"{table}.parquet"


def test_set_facts(name: str) -> Path:
    """What an imported test set says of itself: its source, and the protocol that evaluates it."""
    return Path("data/test_sets") / name / "test_set.json"


def synthetic(synthesizer: str) -> Path:
    """The face table of the synthetic LR faces that one synthesiser made."""
    return Path("data/synthetic") / f"{synthesizer}.parquet"


def synthesizer(name: str) -> Path:
    """The folder of one synthesiser that has learnt."""
    return Path("models/synthesizers") / name


def samples(synthesizer: str) -> Path:
    """The folder of the pictures that one synthesiser made while it learnt."""
    return Path("plots/samples") / synthesizer


def drift_result(synthesizer: str) -> Path:
    """What drift says of native LR against one synthesiser's LR."""
    return Path("data/drift") / f"{synthesizer}.json"


def drift_page(synthesizer: str) -> Path:
    """Evidently's HTML for native LR against one synthesiser's LR."""
    return REPORTS / "drift" / f"{synthesizer}.html"


def closest(run: str) -> Path:
    """What one run has of the ranking of synthesisers: the closest, where it asks for it."""
    return Path("data/closest") / f"{run}.json"


def pretrained(backbone: str) -> Path:
    """The folder of one pretrained backbone."""
    return Path("models/pretrained") / backbone


def training_set(run: str) -> Path:
    """Which test set's training faces are the native ones of a run, and which faces its synthetic ones, by hash."""
    return Path("data/training_sets") / f"{run}.json"


def training_landmarks(test_set: str) -> Path:
    """The landmarks of a test set's training faces."""
    return Path("data/training_sets/landmarks") / f"{test_set}.parquet"


def synthetic_landmarks(synthesizer: str) -> Path:
    """The landmarks of one synthesiser's faces."""
    return Path("data/training_sets/synthetic_landmarks") / f"{synthesizer}.parquet"


def model(run: str) -> Path:
    """The folder of the model of one run."""
    return Path("models/runs") / run


def super_resolver(name: str) -> Path:
    """The folder of one super-resolution network that was trained alone."""
    return Path("models/super_resolution") / name


def super_resolved(name: str, test_set: str) -> Path:
    """A test set's faces after one super-resolution network."""
    return Path("data/super_resolved") / name / f"{test_set}.parquet"


def super_resolution_metrics(name: str) -> Path:
    """How true to the original one network's faces are."""
    return Path("metrics/super_resolution") / f"{name}.json"


def checkpoint(kind: str, name: str) -> Path:
    """The state of an unfinished training; ``kind`` is backbones, runs, super_resolution, synthesizers or landmarks."""
    return Path("checkpoints") / kind / f"{name}.pt"


def live(kind: str, name: str) -> Path:
    """The live curves of a training that runs; no stage's output."""
    return Path("live") / kind / name


def training_curve(kind: str, name: str) -> Path:
    """The curves of one finished training; ``kind`` is backbones, runs, super_resolution or synthesizers."""
    return Path("plots/training") / kind / f"{name}.csv"


def embeddings(run: str, test_set: str) -> Path:
    """One run's embeddings of the faces of a test set."""
    return Path("data/embeddings") / run / f"{test_set}.npz"


def unrecognizable_embeddings(run: str) -> Path:
    """One run's embeddings of the faces that nobody recognises."""
    return Path("data/embeddings") / run / "beside" / "unrecognizable.npz"


def metrics(run: str) -> Path:
    """One run's results by test set."""
    return Path("metrics/runs") / f"{run}.json"


def curve(run: str, test_set: str, kind: str) -> Path:
    """One run's curve on a test set; ``kind`` is the protocol's, such as cmc or roc."""
    return Path("plots/sets") / run / test_set / f"{kind}.csv"


def evaluated(run: str) -> Path:
    """What became of each probe of the benchmark in one run, for paired tests between runs."""
    return Path("data/evaluated") / f"{run}.npz"
