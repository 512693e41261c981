"""Images enrolled as templates, as IJB-B and IJB-C have it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lrfr.core.gallery_search import Templates
from lrfr.core.qualities.weights import weights
from lrfr.core.template_pooling import templates
from lrfr.errors import EmbeddingError
from lrfr.score.arrays import numbered, read_arrays
from lrfr.score.duplicates import fingerprints, repeated
from lrfr.score.facts import Comparison, comparison

METRIC = "cosine of templates"
NORMS = {
    "keep": "as they are",
    "unit": "each L2-normalised first",
    "quality": "each L2-normalised first, weighted by its quality, which is scaled to 0.01 to 1 by its range",
}


@dataclass(frozen=True)
class Images:
    """Embeddings of images, enrolled.

    Attributes:
        enrolled: the templates that the images make.
        identity: (T,) the templates' identities, or None where the images tell none.
        duplicates: how many images stand twice.
        compared: by which metric, and of which model.
    """

    enrolled: Templates
    identity: np.ndarray | None
    duplicates: dict[str, int]
    compared: Comparison


def enrol(path: Path, norm: str) -> Images:
    """The templates of the images: the mean within each media id, summed over media, then of length 1.

    Raises:
        EmbeddingError: an array is missing, the quality too where images are to be weighted by it, or cannot be used.
    """
    by_quality = norm == "quality"
    needed = ("embedding", "template", "media", *(["quality"] if by_quality else []))
    given = read_arrays(path, needed, ("missing", "identity"))
    missing = given.get("missing")
    weight = _weights(given["quality"], missing, path) if by_quality else None
    rows = given["embedding"], given["template"], given["media"]
    ids, vectors = templates(*rows, "unit" if by_quality else norm, missing, weight=weight)
    enrolled = Templates(ids, vectors, (vectors == 0).all(axis=1))
    duplicates = {"image": repeated(fingerprints(given["embedding"], missing))}
    return Images(enrolled, _identity(given), duplicates, comparison([path], None))


def _weights(quality: np.ndarray, missing: np.ndarray | None, path: Path) -> np.ndarray:
    bad = np.flatnonzero(np.isnan(quality))
    if len(bad):
        remedy = "give an image without a quality minus infinity"
        raise EmbeddingError(f"{len(bad)} of quality are NaN", where=f"{path}, row {bad[0]}", remedy=remedy)
    return weights(quality if missing is None else np.where(missing, -np.inf, quality))


def metric_notes(compared: Comparison) -> list[str]:
    """A sentence if the protocol compares otherwise than the model says."""
    return [f"compared by the {METRIC}; the model's own metric is euclidean"] if compared.metric == "euclidean" else []


def _identity(given: dict[str, np.ndarray]) -> np.ndarray | None:
    if "identity" not in given:
        return None
    ids, first, row = np.unique(given["template"], return_index=True, return_inverse=True)
    (identity,) = numbered(given["identity"])
    twice = np.flatnonzero(identity[first][row] != identity)
    if len(twice):
        both = f"{given['identity'][first][row[twice[0]]]} and {given['identity'][twice[0]]}"
        what = f"the images of a template have two identities: {both}"
        raise EmbeddingError(what, where=f"template {ids[row[twice[0]]]}", remedy="correct one of them")
    return identity[first]


def definition(norm: str, compared: Comparison) -> dict[str, str]:
    """How templates were made."""
    return compared.definition | {
        "metric": METRIC,
        "norm": f"{norm}: embeddings enter a template {NORMS[norm]}",
        "template": "mean within a media id, sum over media, then L2-normalised",
    }
