"""How many of the gallery score at least as high as a mate: exactly, at little more than the price of one product.

All scores are computed once in float32. What lies farther from a mate's score than the product can be off is only
counted; what lies nearer is scored again as ``scoring`` defines it. So the outcome is that of exact scores, whatever
the size of the blocks, the order of the rows or the matrix library.
"""

from typing import Any

import numpy as np

from lrfr.core.inputs import is_tensor, on_host
from lrfr.core.score_blocks import ScoreBlock, in_parts, score_blocks
from lrfr.core.scoring import score_pairs
from lrfr.errors import EmbeddingError

PART = 2**22  # scores that are looked at at once, all of which may have to be scored again


def count_ahead(
    probe: np.ndarray, gallery: Any, present: np.ndarray, mates: np.ndarray, mate_scores: np.ndarray, metric: str
) -> np.ndarray:
    """Counts the non-mates that score at least as high as each mate does: pessimistic ties.

    Args:
        probe: (P, D) float64, comparable.
        gallery: (G, D) embeddings, array or tensor.
        present: (G,) bool; other gallery rows have no score.
        mates: (2, M) int64, probe and gallery row of each mated pair; ascending by probe, and a probe's mates from the
            best to the worst.
        mate_scores: (M,) their exact scores.
        metric: ``cosine`` or ``euclidean``.

    Returns:
        (M,) int64.
    """
    ahead = np.zeros(mates.shape[1], np.int64)
    for block in score_blocks(probe, gallery, present, metric):
        part = slice(*np.searchsorted(mates[0], [block.probes.start, block.probes.stop]))
        ahead[part] += _ahead_in_block(probe[block.probes], block, mates[:, part], mate_scores[part], metric)
    return ahead


def best_scores(probe: np.ndarray, gallery: np.ndarray, metric: str) -> np.ndarray:
    """The exact score (P,) of the gallery row that is most alike each probe.

    Args:
        probe: (P, D) float64, comparable.
        gallery: (G, D) embeddings.
        metric: ``cosine`` or ``euclidean``.
    """
    best = np.full(len(probe), -np.inf)
    for block in score_blocks(probe, gallery, np.ones(len(gallery), bool), metric):
        least = block.values.max(axis=1) - 2 * block.slack
        row, column = np.nonzero(block.values >= np.nextafter(least.astype(np.float32), -np.inf)[:, None])
        np.maximum.at(best[block.probes], row, _rescore(probe[block.probes], block, row, column, metric))
    return best


def _ahead_in_block(
    probe: np.ndarray, block: ScoreBlock, mates: np.ndarray, mate_scores: np.ndarray, metric: str
) -> np.ndarray:
    """``count_ahead`` for the probes and the gallery rows of one block."""
    rows = mates[0] - block.probes.start
    low, high = block.bounds(mate_scores, rows)
    _take_mates_out(block, rows, mates[1], low, high)
    count = _count_in_tensor if is_tensor(block.values) else _count_in_array

    def ahead(part: slice) -> np.ndarray:
        certain, (mate, column) = count(block.values, rows[part], low[part], high[part])
        scores = _rescore(probe, block, rows[part][mate], column, metric)
        level = scores >= mate_scores[part][mate]
        return certain + np.bincount(mate[level], minlength=len(certain))

    parts = in_parts(ahead, len(rows), max(1, PART // len(block.columns)))
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _take_mates_out(block: ScoreBlock, rows: np.ndarray, gallery_rows: np.ndarray, low: np.ndarray, high: np.ndarray):
    """Lowers the mates' own values, lest they count as ahead; before that, these show whether the bound holds."""
    column = np.minimum(np.searchsorted(block.columns, gallery_rows), len(block.columns) - 1)
    here = np.flatnonzero(block.columns[column] == gallery_rows)
    found = on_host(block.values[rows[here], column[here]])
    if not ((found >= low[here]) & (found <= high[here])).all():
        remedy = "forbid reduced precision, such as torch.backends.cuda.matmul.allow_tf32"
        raise EmbeddingError("the matrix product is less precise than float32", remedy=remedy)
    block.values[rows[here], column[here]] = -np.inf


def _count_in_array(
    values: np.ndarray, rows: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """For each mate, how many values of its probe's row are above ``high``; and those from ``low`` to ``high``.

    Args:
        values: (B, C) float32.
        rows: (M,) each mate's probe; those of one probe in a run, from the best mate to the worst.
        low: (M,) float32.
        high: (M,) float32.

    Returns:
        (M,) counts, and the pairs (mate, column) of which float32 cannot tell, (2, U).
    """
    certain, unsure = np.zeros(len(rows), np.int64), [np.empty(0, np.int64)] * len(rows)
    line, column, before = values[0], None, -1
    for mate in range(len(rows) - 1, -1, -1):
        if rows[mate] != before:
            line, column, before = values[rows[mate]], None, rows[mate]
        possible = line >= low[mate]
        count = np.count_nonzero(possible)
        if count * 16 < len(line):  # few are left: a better mate needs to look no further
            (kept,) = possible.nonzero()
            line, column = line[kept], kept if column is None else column[kept]
            possible = True
        if count:
            (doubtful,) = (possible & (line <= high[mate])).nonzero()
            certain[mate] = count - len(doubtful)
            unsure[mate] = doubtful if column is None else column[doubtful]
    return certain, np.stack([np.repeat(np.arange(len(rows)), [len(of) for of in unsure]), np.concatenate(unsure)])


def _count_in_tensor(values: Any, rows: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As ``_count_in_array``, all rows at once, on the tensor's device."""
    lines = values[rows]
    possible = lines >= values.new_tensor(low)[:, None]
    doubtful = possible & (lines <= values.new_tensor(high)[:, None])
    return (possible.sum(1) - doubtful.sum(1)).cpu().numpy(), doubtful.nonzero().cpu().numpy().T


def _rescore(probe: np.ndarray, block: ScoreBlock, row: np.ndarray, column: np.ndarray, metric: str) -> np.ndarray:
    """The exact scores (U,) of the pairs ``row`` of ``probe`` and ``column`` of the block."""
    if len(row) > 4 * len(block.columns):  # only copies can be so many and so near: a model that has collapsed
        rows, copy = block.distinct
        if len(probe) * len(rows) < len(row):
            table = np.indices((len(probe), len(rows))).reshape(2, -1)
            return score_pairs(probe, rows, table, metric)[row * len(rows) + copy[column]]
    return score_pairs(probe, block.gallery, np.stack([row, column]), metric)
