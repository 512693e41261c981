"""Scores of genuine and impostor pairs: what they must be, and which threshold a FAR gives."""

import numpy as np

from lrfr.errors import EmbeddingError


def threshold_at(genuine: np.ndarray, impostor: np.ndarray, far: float) -> float:
    """The lowest score, of ``genuine`` or ``impostor`` (both ascending), whose FAR is at most ``far``.

    Infinite where even the highest score's FAR is above ``far``.
    """
    allowed = count_within(far, len(impostor))
    barrier = impostor[-allowed - 1] if allowed < len(impostor) else impostor.dtype.type(-np.inf)
    above = ((scores, np.searchsorted(scores, barrier, "right")) for scores in (genuine, impostor))
    return min((float(scores[row]) for scores, row in above if row < len(scores)), default=np.inf)


def accepted(scores: np.ndarray, threshold: float) -> int:
    """How many of the ascending ``scores`` are at or above ``threshold``."""
    return len(scores) - int(np.searchsorted(scores, scores.dtype.type(threshold)))


def count_within(share: float, total: int) -> int:
    """The largest count whose share of ``total`` is at most ``share``; 0.29 of 100 is 29, though 0.29 * 100 < 29.

    Raises:
        EmbeddingError: a share outside of 0..1.
    """
    if not 0 <= share <= 1:
        raise EmbeddingError(f"a rate of {share} is not within 0 and 1", remedy="give rates such as 0.001")
    count = int(share * total)
    return next((near for near in (count + 1, count, count - 1) if total and near / total <= share), 0)


def checked_pairs(score: np.ndarray, same: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores as float32 or float64 and ``same`` as bool, each (N,), after the checks that ``verification`` names."""
    score, same = np.asarray(score), np.asarray(same)
    if score.ndim != 1 or score.shape != same.shape:
        raise EmbeddingError(f"scores {score.shape} and same {same.shape} differ; both must be (N,)")
    if same.dtype.kind not in "biu" or not ((same == 0) | (same == 1)).all():
        remedy = "store it as bool: true for a genuine pair, false for an impostor"
        raise EmbeddingError(f"same is {same.dtype} and neither bool nor whole numbers 0 and 1", remedy=remedy)
    same = same.astype(bool, copy=False)
    if score.dtype.kind not in "fiu":
        raise EmbeddingError(f"scores hold {score.dtype}, not numbers", remedy="store them as float32")
    score = score.astype(np.float32 if score.dtype == np.float16 else np.result_type(score, np.float32), copy=False)
    bad = np.flatnonzero(np.isnan(score) | np.isposinf(score))
    if len(bad):
        raise EmbeddingError(
            f"{len(bad)} scores are NaN or plus infinity",
            where=f"score row {bad[0]}",
            remedy="score a pair of which a face is missing as minus infinity",
        )
    for kind, count in (("genuine", int(same.sum())), ("impostor", int((~same).sum()))):
        if not count:
            raise EmbeddingError(f"none of {len(same)} pairs is {kind}", remedy="give pairs of both kinds")
    return score, same
