"""Bootstrap intervals of a ROC's figures: TAR at a FAR, AUC, EER and the best accuracy.

What is drawn, with replacement: the identities of the pairs' left (probe) side, each with all of its pairs; or, where
nobody says who is who, the genuine pairs and the impostor pairs, each among themselves. Thresholds are found anew in
each draw, among at most ``LEVELS`` of the scores: pairs are counted once per identity between these thresholds, and a
draw is a weighted sum of such counts. So the cost of a draw does not grow with the number of pairs.
"""

from collections.abc import Iterator

import numpy as np

from lrfr.core.bootstrap import drawn, ends, rounded

LEVELS = 2048
"""Thresholds that a draw chooses from: half by the impostors' FAR in geometric steps, half by the genuine scores."""

CELLS = 2**24
"""The most counts (identities times thresholds) held; above 8,192 identities the thresholds become fewer."""

BLOCK = 2**21
"""Pairs sorted into counts at once."""


def intervals(
    score: np.ndarray,
    same: np.ndarray,
    identity: np.ndarray | None,
    thresholds: dict[float, float],
    method: str,
    draws: int,
    seed: int,
) -> tuple[dict[float, list[float] | None], dict[str, object]]:
    """The 95 % percentile intervals of every figure.

    Args:
        score: (N,) float, minus infinity where a face is missing.
        same: (N,) bool.
        identity: (N,) of the left side, or None to draw pairs.
        thresholds: the threshold found on all pairs for each FAR; they are among those that a draw chooses from.
        method: ``exact`` or ``nearest``.
        draws: number of bootstrap samples.
        seed: of the draws.

    Returns:
        TAR's interval [low, high] at each FAR; and ``auc_interval``, ``eer_interval``, ``accuracy_interval``, and
        ``interval_over``: ``identities`` or ``pairs``. Draws without pairs of both kinds are left out; an interval is
        None where no other draw is left, or where there is a single identity.
    """
    people = np.unique([] if identity is None else identity)
    levels = min(LEVELS, CELLS // max(len(people), 1))
    grid = _grid(score, same, levels, list(thresholds.values()))
    if identity is None:
        batches = _pairs_drawn(_counts(score, same, grid), draws, seed)
    else:
        counts = _counts(score, same, grid, np.searchsorted(people, identity), len(people))
        batches = (times.astype(np.float32) @ counts for times in drawn(len(people), draws, seed))
    values = np.concatenate([_figures(totals, len(grid), list(thresholds), method) for totals in batches])
    values = values[~np.isnan(values).any(axis=1)]  # draws with pairs of both kinds
    none = not len(values) or len(people) == 1
    pairs = [None] * values.shape[1] if none else [rounded(pair) for pair in ends(values).T]
    return dict(zip(thresholds, pairs[3:], strict=True)), {
        "auc_interval": pairs[0],
        "eer_interval": pairs[1],
        "accuracy_interval": pairs[2],
        "interval_over": "pairs" if identity is None else "identities",
    }


def _pairs_drawn(counts: np.ndarray, draws: int, seed: int) -> Iterator[np.ndarray]:
    """Totals (B, 2 (T + 1)) when the genuine and the impostor pairs are drawn each among themselves."""
    rng = np.random.default_rng(seed)
    sides = np.split(counts[0], 2)
    for start in range(0, draws, 100):
        size = min(100, draws - start)
        yield np.hstack([rng.multinomial(int(side.sum()), side / side.sum(), size=size) for side in sides])


def _grid(score: np.ndarray, same: np.ndarray, levels: int, also: list[float]) -> np.ndarray:
    """Ascending thresholds (T,): all distinct scores if they are few, else a choice of at most about ``levels``."""
    genuine, impostor = np.sort(score[same]), np.sort(score[~same])
    grid = np.unique(score)
    if len(grid) > levels:
        accepted = np.geomspace(1, len(impostor), levels // 2).astype(int)
        evenly = np.linspace(0, len(genuine) - 1, levels // 2).astype(int)
        grid = np.unique(np.concatenate([impostor[-accepted], genuine[evenly], np.array(also, score.dtype)]))
    return grid[np.isfinite(grid)]


def _counts(
    score: np.ndarray, same: np.ndarray, grid: np.ndarray, person: np.ndarray | None = None, people: int = 1
) -> np.ndarray:
    """How many genuine, then how many impostor pairs lie between the thresholds: (people, 2 (T + 1))."""
    width = 2 * (len(grid) + 1)
    counts = np.zeros(people * width, np.float64 if person is None else np.float32)
    for start in range(0, len(score), BLOCK):
        rows = slice(start, start + BLOCK)
        cell = np.searchsorted(grid, score[rows], "right") + np.where(same[rows], 0, len(grid) + 1)
        if person is not None:
            cell += person[rows] * width
        counts += np.bincount(cell, minlength=len(counts))
    return counts.reshape(people, width)


def _figures(totals: np.ndarray, levels: int, far: list[float], method: str) -> np.ndarray:
    """AUC, EER, accuracy and TAR at each of ``far``: (B, 3 + F), NaN where a draw lacks one kind of pairs."""
    totals = totals.astype(np.float64).reshape(len(totals), 2, levels + 1)
    kinds = totals.sum(axis=2)
    totals = np.where((kinds > 0).all(axis=1)[:, None, None], totals, np.nan)
    # accepted at each threshold, from above all (nothing) down to the lowest
    accepted = np.concatenate([np.zeros((len(totals), 2, 1)), np.cumsum(totals[:, :, :0:-1], axis=2)], axis=2)
    genuine, impostors = kinds[:, :1], kinds[:, 1:]
    with np.errstate(invalid="ignore", divide="ignore"):
        tar, rate = accepted[:, 0] / genuine, accepted[:, 1] / impostors
        accuracy = ((accepted[:, 0] + impostors - accepted[:, 1]) / (genuine + impostors)).max(axis=1)
    steps = np.diff(rate, axis=1, append=1.0)
    area = (steps * (tar + np.concatenate([tar[:, 1:], np.ones_like(genuine)], axis=1)) / 2).sum(axis=1)
    rows = np.arange(len(tar))
    crossing = np.argmin(np.abs(rate - (1 - tar)), axis=1)
    equal = (rate[rows, crossing] + 1 - tar[rows, crossing]) / 2
    if method == "exact":
        columns = [(rate <= value).sum(axis=1) - 1 for value in far]
    else:
        columns = [rate.shape[1] - 1 - np.argmin(np.abs(rate - value)[:, ::-1], axis=1) for value in far]
    return np.column_stack([area, equal, accuracy, *(tar[rows, column] for column in columns)])
