"""The score of two embeddings: the one definition by which every identification protocol ranks.

Each pair is scored by itself, in float64 and in a fixed order of summation, so that a pair's score depends neither on
the rows around it nor on the matrix library; what is left of rounding is rounded away, so that equal is equal.
"""

import numpy as np

from lrfr.core.inputs import is_tensor, on_host
from lrfr.errors import EmbeddingError, unknown_name

METRICS = ("cosine", "euclidean")
PAIRS = 256  # scored at once: they stay in the processor's cache
LEAST, MOST = 1e-280, 1e280  # squared lengths outside cannot be told from 0 and infinity


def check_metric(metric: str) -> None:
    """Raises an error that lists the metrics unless ``metric`` is one of them."""
    if metric not in METRICS:
        raise unknown_name("metric", metric, METRICS)


def comparable(rows, metric: str, name: str, numbers: np.ndarray):
    """``rows`` (N, D) in float64 as the metric compares them: of length 1 under cosine, else as they are.

    Args:
        rows: embeddings; a tensor stays on its device.
        metric: ``cosine`` or ``euclidean``.
        name: what the rows are called in errors.
        numbers: (N,) the rows' numbers in errors.

    Raises:
        EmbeddingError: a row that is not finite, or a zero vector under cosine.
    """
    rows = _double(rows)
    square = squared_lengths(rows)
    _refuse(~(square < MOST), "not finite, or too large", name, numbers)
    if metric == "euclidean":
        return rows
    _refuse(square < LEAST, "zero: they have no cosine", name, numbers)
    return rows / (square**0.5)[:, None]


def squared_lengths(rows):
    """The squared lengths (N,) of ``rows`` (N, D), array or tensor."""
    return (rows * rows).sum(1) if is_tensor(rows) else np.einsum("nd,nd->n", rows, rows)


def _double(rows):
    return rows.double() if is_tensor(rows) else np.ascontiguousarray(rows, np.float64)


def _refuse(wrong, what: str, name: str, numbers: np.ndarray) -> None:
    if bool(wrong.any()):
        first = numbers[int(np.flatnonzero(on_host(wrong))[0])]
        remedy = "look at the model, or mark the row as missing where the image could not be read"
        raise EmbeddingError(f"{name} embeddings are {what}", where=f"{name} row {first}", remedy=remedy)


def score_pairs(probe: np.ndarray, gallery, pairs: np.ndarray, metric: str) -> np.ndarray:
    """The scores (M,) of M pairs, the higher the more alike.

    Args:
        probe: (P, D) float64, comparable.
        gallery: (G, D) embeddings as given, array or tensor; one that is not finite or zero has no score (NaN).
        pairs: (2, M) int64, rows of ``probe`` and of ``gallery``.
        metric: ``cosine``: the cosine, rounded to 12 decimals; ``euclidean``: minus the squared distance, rounded to
            40 significant bits (12 digits).
    """
    if is_tensor(gallery):
        needed, place = np.unique(pairs[1], return_inverse=True)
        gallery, pairs = on_host(gallery[needed]), np.stack([pairs[0], place])
    scores = np.empty(pairs.shape[1])
    for start in range(0, len(scores), PAIRS):
        row, column = pairs[:, start : start + PAIRS]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # the ranking refuses such rows by number
            scores[start : start + PAIRS] = _score(probe[row], _double(gallery[column]), metric)
    return scores


def _score(probe: np.ndarray, gallery: np.ndarray, metric: str) -> np.ndarray:
    if metric == "cosine":
        square = np.einsum("nd,nd->n", gallery, gallery)
        return np.round(np.einsum("nd,nd->n", probe, gallery) / np.sqrt(square), 12)
    difference = probe - gallery
    mantissa, exponent = np.frexp(np.einsum("nd,nd->n", difference, difference))
    return -np.ldexp(np.rint(mantissa * 2.0**40), exponent - 40)
