"""Every pair of a probe and a gallery row, to be verified; or every two rows of one set of embeddings."""

from typing import NamedTuple

import numpy as np

from lrfr.core import inputs
from lrfr.core.inputs import on_host
from lrfr.core.scoring import check_metric, comparable, score_pairs
from lrfr.errors import EmbeddingError

MOST = 20_000_000  # pairs; some 60 bytes each until all figures are known


class Pairs(NamedTuple):
    """Scores (M,) float64, minus infinity where a face is missing; ``same`` (M,) bool; identities (M,) of the left."""

    score: np.ndarray
    same: np.ndarray
    identity: np.ndarray


def every_pair(
    probe,
    probe_identity,
    gallery=None,
    gallery_identity=None,
    metric: str = "cosine",
    *,
    probe_missing=None,
    gallery_missing=None,
) -> Pairs:
    """Scores every pair.

    Args:
        probe: (P, D) embeddings.
        probe_identity: (P,) int64.
        gallery: (G, D) embeddings; without one, every two rows of ``probe`` are a pair, once.
        gallery_identity: (G,) int64; ``UNKNOWN`` (-1) is nobody whom a probe shows.
        metric: ``cosine`` or ``euclidean``.
        probe_missing: (P,) bool, rows of which there is no face.
        gallery_missing: (G,) bool, likewise.

    Raises:
        EmbeddingError: a shape, a type, a value that is not finite, a zero vector under cosine, or more than 20 million
            pairs.
    """
    check_metric(metric)
    alone = gallery is None
    if alone:
        gallery, gallery_identity, gallery_missing = probe, probe_identity, probe_missing
    probe, gallery = inputs.embeddings(probe, "probe"), inputs.embeddings(gallery, "gallery")
    inputs.same_width(probe=probe, gallery=gallery)
    probe_identity = inputs.identities(probe_identity, probe, "probe")
    gallery_identity = inputs.identities(gallery_identity, gallery, "gallery", unknown=True)
    count = len(probe) * (len(probe) - 1) // 2 if alone else len(probe) * len(gallery)
    if count > MOST:
        what = f"{count:,} pairs are too many; {MOST:,} are the most"
        raise EmbeddingError(what, remedy="draw some of them, and give their scores by --scores")
    shown, enrolled = inputs.present(probe_missing, probe, "probe"), inputs.present(gallery_missing, gallery, "gallery")
    left, right = _comparable(probe, shown, metric, "probe"), _comparable(gallery, enrolled, metric, "gallery")
    score, same, identity = np.full(count, -np.inf), np.empty(count, bool), np.empty(count, np.int64)
    end = 0
    for row in range(len(probe)):
        others = np.arange(row + 1 if alone else 0, len(gallery))
        start, end = end, end + len(others)
        same[start:end] = gallery_identity[others] == probe_identity[row]
        identity[start:end] = probe_identity[row]
        if shown[row]:
            there = np.flatnonzero(enrolled[others])
            pairs = np.stack([np.full(len(there), row), others[there]])
            score[start + there] = score_pairs(left, right, pairs, metric)
    return Pairs(score, same, identity)


def _comparable(rows, there: np.ndarray, metric: str, name: str) -> np.ndarray:
    """The rows (N, D) in float64 as the metric compares them; those that are missing are not looked at."""
    number = np.flatnonzero(there)
    found = np.ones(rows.shape)
    found[number] = comparable(on_host(rows[number]), metric, name, number)
    return found
