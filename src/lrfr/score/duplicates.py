"""Rows that stand twice: a figure over copies is right by the protocol and yet not what its reader takes it for."""

import numpy as np

from lrfr.core.score_blocks import let_go

CHUNK = 2**21  # numbers looked at at once


def fingerprints(rows: np.ndarray, missing: np.ndarray | None = None) -> np.ndarray:
    """A number (N,) uint64 for each embedding (N, D) that is not missing, the same for equal ones.

    Different ones have the same with a chance of about 2^-64 (multilinear hashing, L. Carter and M. Wegman, 1979).
    """
    weights = np.random.default_rng(0).integers(2**64, size=2 * rows.shape[1], dtype=np.uint64, endpoint=False)
    step = max(1, CHUNK // rows.shape[1])
    marks = np.empty(len(rows), np.uint64)
    for start in range(0, len(rows), step):
        doubles = np.ascontiguousarray(rows[start : start + step], np.float64) + 0.0  # minus zero is zero
        marks[start : start + step] = np.einsum("nw,w->n", doubles.view(np.uint32), weights)
        let_go(rows)
    return marks if missing is None else marks[~missing]


def repeated(marks: np.ndarray) -> int:
    """How many rows repeat another one."""
    ordered = np.sort(marks)
    return int((ordered[1:] == ordered[:-1]).sum())


def notes(duplicates: dict[str, int]) -> list[str]:
    """A sentence for each kind of duplicates that there are."""
    return [DUPLICATES[kind].format(count) for kind, count in duplicates.items() if count]


DUPLICATES = {
    "probe": "{} probe rows repeat another one's embedding; each counts",
    "gallery": "{} gallery rows repeat another one's embedding; each counts, and ties rank before the mate",
    "mated": "{} mated rows repeat another one's embedding; each counts",
    "unmated": "{} unmated rows repeat another one's embedding; each counts",
    "probe_in_gallery": "{} probe rows have the embedding of a gallery row: is it the same image?",
    "pairs": "{} pairs repeat another one; each counts",
    "left_is_right": "{} pairs are an embedding and itself: is it the same image?",
    "image": "{} image rows repeat another one's embedding; each counts in its template",
}
