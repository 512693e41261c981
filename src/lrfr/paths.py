"""Every artefact's place, relative to the project's root, where every command is run."""

from pathlib import Path

PARAMS = Path("params.yaml")
VERDICTS = Path("annotations/verdicts")

PHOTOS = Path("data/acquired/photos.parquet")
TAGS = Path("data/acquired/tags.parquet")
TRUTH = Path("data/acquired/truth.parquet")

DETECTED_NATIVE = Path("data/detected/native.parquet")
DETECTED_AUXILIARY = Path("data/detected/auxiliary.parquet")
WITHOUT_FACE = Path("data/detected/without_face.csv")
DETECTION_METRICS = Path("metrics/detection.json")

CURATED_NATIVE = Path("data/curated/native.parquet")
CURATED_AUXILIARY = Path("data/curated/auxiliary.parquet")
SET_ASIDE = Path("data/curated/set_aside.parquet")
SIMULATED_VERDICTS = Path("data/curated/verdicts")
CURATION_METRICS = Path("metrics/curation.json")

BENCHMARK = Path("data/split/benchmark.parquet")
AUXILIARY = Path("data/split/auxiliary.parquet")

VALIDATION_RESULT = Path("data/validation/result.json")
QUALITY_PAGE = Path("reports/quality.html")
DATA_DOCS = Path("reports/data_docs")

PRETRAINED = Path("models/pretrained")
REPORTS = Path("reports")
REPORT = REPORTS / "index.html"
RELEASES = Path("releases")


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


def embeddings(method: str) -> Path:
    """One method's embeddings of every image of the benchmark."""
    return Path("data/embeddings") / f"{method}.npz"


def metrics(method: str) -> Path:
    """One method's protocol results."""
    return Path("metrics") / f"{method}.json"


def curve(kind: str, method: str) -> Path:
    """One method's curve; ``kind`` is cmc, pr or training."""
    return Path("plots") / kind / f"{method}.csv"
