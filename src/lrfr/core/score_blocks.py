"""The scores of every probe and gallery row in float32, block by block, with a bound on how far off they can be.

A product of float32 vectors of D numbers is off by at most D u |q| |k|, u = 2^-24, in whatever order it is summed
(N. Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed., 2002, section 3.1). As the bound grows with the
vectors' lengths, the probes' mean c is subtracted from both sides first, and what that takes away is a last column:
cos(q, k) = (q - c)(k - c) + c(k - c) + cq, and -|q - k|^2 / 2 = (q - c)(k - c) - |k - c|^2 / 2 - |q - c|^2 / 2.
"""

import mmap
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from lrfr.core.inputs import is_tensor, on_host
from lrfr.core.scoring import comparable, squared_lengths
from lrfr.errors import EmbeddingError

CHUNK = 2**24  # elements of the gallery that are read at once: 67 MB in float32
BLOCK = 2**25  # scores that are held at once: 134 MB
CAST = 2**18  # elements that are made comparable at once: they stay in the processor's cache


@dataclass(frozen=True)
class ScoreBlock:
    """The float32 scores of some probes (B) against some of the gallery (C).

    Attributes:
        values: (B, C) array or tensor: ``factor * (score - origin)``, off by no more than ``slack``.
        probes: the probes' rows.
        columns: (C,) int64, the gallery's rows, ascending.
        gallery: (C, D) these rows as given, array or tensor.
        factor: above 0.
        origin: (B,) float64.
        slack: (B,) float64.
    """

    values: Any
    probes: slice
    columns: np.ndarray
    gallery: Any
    factor: float
    origin: np.ndarray
    slack: np.ndarray

    def bounds(self, scores: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Between which two values, (M,) float32, pairs of the block's ``rows`` (M,) lie if they have these scores."""
        middle = self.factor * (scores - self.origin[rows])
        low, high = middle - self.slack[rows], middle + self.slack[rows]
        return np.nextafter(low.astype(np.float32), -np.inf), np.nextafter(high.astype(np.float32), np.inf)

    @cached_property
    def distinct(self) -> tuple[np.ndarray, np.ndarray]:
        """The gallery's rows (K, D) without copies, as far as those are told, and which of them each column is (C,)."""
        rows = on_host(self.gallery)
        mark = np.einsum("nd,d->n", rows.astype(np.float64), np.cos(np.arange(rows.shape[1])))  # equal for equal rows
        _, first, copy = np.unique(mark, return_index=True, return_inverse=True)
        if not np.array_equal(rows, rows[first[copy]]):
            return rows, np.arange(len(rows))
        return rows[first], copy


def score_blocks(probe: np.ndarray, gallery: Any, present: np.ndarray, metric: str) -> Iterator[ScoreBlock]:
    """Scores every probe against every present gallery row.

    Args:
        probe: (P, D) float64, comparable.
        gallery: (G, D) embeddings, array (memory-mapped ones are read once) or tensor.
        present: (G,) bool.
        metric: ``cosine`` or ``euclidean``.

    Raises:
        EmbeddingError: a present gallery row that is not finite, zero under cosine, or far out of the probes' range.
    """
    if not len(probe):
        return
    width, centre = probe.shape[1], probe.mean(axis=0)
    # Euclidean features may be of any size; scaled to the probes', float32's range does not matter.
    scale = 1.0 if metric == "cosine" else 1 / (np.sqrt((probe**2).sum(axis=1).max()) or 1.0)
    moved = (probe - centre) * scale
    length = np.sqrt((moved**2).sum(axis=1))
    origin, factor = (probe @ centre, 1.0) if metric == "cosine" else (-((length / scale) ** 2), scale**2 / 2)
    queries = np.concatenate([moved, np.ones((len(moved), 1))], axis=1).astype(np.float32)
    step = max(1, CHUNK // width)
    for start in range(0, len(gallery), step):
        columns = start + np.flatnonzero(present[start : start + step])
        if not len(columns):
            continue
        rows = gallery[start : start + step]
        rows = rows if len(columns) == len(rows) else rows[columns - start]
        keys, farthest, most = _keys(rows, columns, centre, scale, metric)
        slack = 1.01 * (width + 8) * 2.0**-24 * (length * farthest + most) + 2e-12 * (1 + farthest) ** 2
        left = keys.new_tensor(queries) if is_tensor(keys) else queries
        many = max(1, BLOCK // len(columns))
        for first in range(0, len(probe), many):
            part = slice(first, min(first + many, len(probe)))
            yield ScoreBlock(left[part] @ keys.T, part, columns, rows, factor, origin[part], slack[part])
        let_go(gallery)


def in_parts(do: Callable[[slice], Any], count: int, step: int) -> list[Any]:
    """What ``do`` returns for every ``step`` of ``count`` rows; two at a time, as numpy lets other threads run."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(do, [slice(start, min(start + step, count)) for start in range(0, count, step)]))


def _keys(rows: Any, numbers: np.ndarray, centre: np.ndarray, scale: float, metric: str) -> tuple[Any, float, float]:
    """The gallery's side of the product, (C, D + 1) float32, its greatest length and its greatest last column."""
    count, width = rows.shape
    keys = rows.new_empty((count, width + 1)).float() if is_tensor(rows) else np.empty((count, width + 1), np.float32)
    mean = rows.double().new_tensor(centre) if is_tensor(rows) else centre

    def fill(part: slice) -> tuple[float, float]:
        moved = comparable(rows[part], metric, "gallery", numbers[part]) - mean
        if scale != 1:
            moved *= scale
        square = squared_lengths(moved)
        last = moved @ mean if metric == "cosine" else square / -2
        farthest, most = float(square.max()) ** 0.5, float(abs(last).max())
        if most > 1e30:
            what = "the gallery's features are more than 1e15 times larger than the probes'"
            raise EmbeddingError(what, remedy="embed both with one model")
        keys[part, :width], keys[part, width] = moved, last
        return farthest, most

    farthest, most = np.max(in_parts(fill, count, max(1, CAST // width)), axis=0)
    return keys, farthest, most


def let_go(rows: Any) -> None:
    """Returns the pages of a read-only memory-mapped file, which would else pile up as this process's memory."""
    while isinstance(rows, np.ndarray):
        if isinstance(rows, np.memmap) and rows.mode == "r" and hasattr(rows.base, "madvise"):
            rows.base.madvise(mmap.MADV_DONTNEED)
        rows = rows.base
