"""Closed-set identification (1:N): ranks, CMC, mean average precision and precision-recall.

Ties are pessimistic: a non-mate that scores as high as a mate ranks before it, so no figure depends on row order.
"""

from dataclasses import dataclass

import numpy as np

from lrfr.errors import EmbeddingError

UNKNOWN = -1
"""The identity of a distractor: a gallery face that nobody could name."""


@dataclass(frozen=True)
class ClosedSet:
    """The outcome of a closed-set identification, one entry per probe.

    Attributes:
        rank: (P,) int64, the rank of each probe's best mate among the whole gallery, from 1.
        average_precision: (P,) float64, 0..1: the mean over mates of the precision at the mate's rank.
        average_precision_official: (P,) float64, 0..1: the trapezoidal reading of TinyFace's official script.
        precision: (P, R) float64, 0..1: precision at the rank where each level of ``recall`` is reached.
        recall: (R,) float64, the levels, ascending in (0, 1].
        gallery_size: the number of gallery rows.
    """

    rank: np.ndarray
    average_precision: np.ndarray
    average_precision_official: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    gallery_size: int

    def cmc(self, ranks: np.ndarray) -> np.ndarray:
        """The share (0..1) of probes whose best mate is within each of ``ranks`` (K,)."""
        return (self.rank[:, None] <= np.asarray(ranks)[None, :]).mean(axis=0)


def closed_set(
    probe: np.ndarray,
    probe_identity: np.ndarray,
    gallery: np.ndarray,
    gallery_identity: np.ndarray,
    metric: str = "cosine",
    recall: np.ndarray | None = None,
    block: int = 256,
) -> ClosedSet:
    """Ranks the gallery for every probe (TinyFace's face identification protocol).

    Args:
        probe: (P, D) embeddings.
        probe_identity: (P,) int64, each with at least one mate in the gallery.
        gallery: (G, D) embeddings.
        gallery_identity: (G,) int64; ``UNKNOWN`` marks distractors, which are nobody's mates.
        metric: ``cosine`` or ``euclidean`` (raw features, the official script's choice).
        recall: the levels of the precision-recall curve; 0.05, 0.10 ... 1.00 when not given.
        block: probes scored at once; bounds memory to about ``block * G`` scores.

    Raises:
        EmbeddingError: a shape, a value that is not finite, a zero vector under cosine, or a probe without a mate.
    """
    probe, gallery = _checked(probe, "probe", metric), _checked(gallery, "gallery", metric)
    probe_identity, gallery_identity = np.asarray(probe_identity), np.asarray(gallery_identity)
    _check_identities(probe, probe_identity, gallery, gallery_identity)
    levels = np.arange(1, 21) / 20 if recall is None else np.asarray(recall, float)
    rows = [
        _one_probe(scores, gallery_identity == identity, levels)
        for start in range(0, len(probe), block)
        for scores, identity in zip(
            similarity(probe[start : start + block], gallery, metric),
            probe_identity[start : start + block],
            strict=True,
        )
    ]
    rank, precision_sum, official, precision = (np.array(column) for column in zip(*rows, strict=True))
    return ClosedSet(rank, precision_sum, official, precision, levels, len(gallery))


def similarity(left: np.ndarray, right: np.ndarray, metric: str = "cosine") -> np.ndarray:
    """The scores (L, R) of every pair, the higher the more alike: the cosine, or minus the squared distance.

    Computed in float64, so that equal vectors give equal scores wherever they stand in the matrix.
    """
    left, right = left.astype(np.float64), right.astype(np.float64)
    if metric == "cosine":
        left = left / np.linalg.norm(left, axis=1, keepdims=True)
        right = right / np.linalg.norm(right, axis=1, keepdims=True)
        return np.round(left @ right.T, 12)
    squared = (left**2).sum(1)[:, None] + (right**2).sum(1)[None, :] - 2 * left @ right.T
    return -np.round(squared, 9)


def _one_probe(scores: np.ndarray, mate: np.ndarray, levels: np.ndarray) -> tuple[int, float, float, np.ndarray]:
    """Rank, both average precisions and precision at the recall levels, from one probe's scores (G,)."""
    mate_scores = np.sort(scores[mate])[::-1]
    others = np.sort(scores[~mate])
    ahead = len(others) - np.searchsorted(others, mate_scores, side="left")  # non-mates that score at least as high
    found = np.arange(1, len(mate_scores) + 1)
    ranks = found + ahead
    precision = found / ranks
    # The official script walks down the list and averages the precision at a mate with that of the place before it,
    # which is 1 before the first place.
    before = np.where(ranks == 1, 1.0, (found - 1) / np.maximum(ranks - 1, 1))
    reached = np.ceil(levels * len(found) - 1e-9).astype(int) - 1
    return int(ranks[0]), float(precision.mean()), float(((before + precision) / 2).mean()), precision[reached]


def _checked(embedding: np.ndarray, name: str, metric: str) -> np.ndarray:
    embedding = np.asarray(embedding)
    if embedding.ndim != 2 or not len(embedding):
        raise EmbeddingError(f"{name} embeddings have the shape {embedding.shape}; (N, D) with N > 0 is needed")
    bad = np.flatnonzero(~np.isfinite(embedding).all(axis=1))
    if len(bad):
        raise EmbeddingError(f"{len(bad)} {name} embeddings are not finite", where=f"{name} row {bad[0]}")
    zero = np.flatnonzero(~embedding.any(axis=1))
    if metric == "cosine" and len(zero):
        raise EmbeddingError(f"{len(zero)} {name} embeddings are zero: no cosine", where=f"{name} row {zero[0]}")
    return embedding


def _check_identities(probe: np.ndarray, probe_ids: np.ndarray, gallery: np.ndarray, gallery_ids: np.ndarray) -> None:
    if probe.shape[1] != gallery.shape[1]:
        raise EmbeddingError(f"probe and gallery widths differ: {probe.shape[1]} and {gallery.shape[1]}")
    if probe_ids.shape != (len(probe),) or gallery_ids.shape != (len(gallery),):
        raise EmbeddingError("there must be exactly one identity per embedding")
    lonely = ~np.isin(probe_ids, gallery_ids[gallery_ids != UNKNOWN])
    if lonely.any():
        raise EmbeddingError(
            f"{lonely.sum()} probes have no mate in the gallery",
            where=f"probe row {np.flatnonzero(lonely)[0]}",
            remedy="a closed set needs every probe's identity in the gallery",
        )
