"""Gallery templates: the images of one enrolled identity averaged into one vector."""

import numpy as np

from lrfr.core.inputs import UNKNOWN, Called, as_called
from lrfr.core.scoring import comparable
from lrfr.errors import EmbeddingError, unknown_name

AVERAGES = ("unit", "raw")


def check_average(average: str, metric: str) -> None:
    """Raises an error unless ``average`` is known and goes with ``metric``."""
    if average not in AVERAGES:
        raise unknown_name("average", average, AVERAGES)
    if metric == "euclidean" and average == "unit":
        what = "templates of L2-normalised embeddings cannot be compared with raw probes"
        raise EmbeddingError(what, remedy="take the average raw with the metric euclidean")


def gallery_templates(
    gallery: np.ndarray,
    identity: np.ndarray,
    present: np.ndarray,
    metric: str,
    average: str,
    called: Called | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """One template per identity, the mean of its present rows; an identity of which none is present has none.

    Args:
        gallery: (G, D) embeddings.
        identity: (G,) int64; each row of ``UNKNOWN`` is a template of its own.
        present: (G,) bool.
        metric: ``cosine`` or ``euclidean``, by which the templates will be compared.
        average: ``unit``: rows are L2-normalised before they are averaged; ``raw``: they are averaged as they are.
        called: what the user calls an identity, by its number, for errors.

    Returns:
        The templates (T, D), float64, and their identities (T,).

    Raises:
        EmbeddingError: a value that is not finite, or under cosine a row or a template that is zero.
    """
    rows = np.flatnonzero(present)
    # rows of unknown identity count down from -1, so that each stands alone
    own = np.where(identity[rows] == UNKNOWN, -1 - np.arange(len(rows)), identity[rows])
    order = np.argsort(own, kind="stable")
    people, starts = np.unique(own[order], return_index=True)
    template = np.empty((len(people), gallery.shape[1]))
    for number, members in enumerate(np.split(rows[order], starts)[1:]):
        vectors = comparable(gallery[members], metric, "gallery", members)
        vectors = vectors if average == "unit" else gallery[members].astype(np.float64)
        template[number] = np.sort(vectors, axis=0).mean(axis=0)  # sorted: the order of rows must not matter
        if metric == "cosine" and abs(template[number]).max() <= 1e-12 * abs(vectors).max():
            where = f"gallery identity {as_called(people[number], called)}"
            raise EmbeddingError("a template averages to zero: it has no cosine", where=where)
    return template, np.where(people < 0, UNKNOWN, people)
