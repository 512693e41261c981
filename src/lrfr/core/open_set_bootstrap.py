"""Bootstrap of the open set: mated probes are drawn by identity, unmated probes each by itself."""

import numpy as np

from lrfr.core.bootstrap import drawn

BLOCK = 2**22  # figures of probes held at once


def found_area(false_alarms: np.ndarray, n_unmated: int) -> np.ndarray:
    """The share (0..1) of FPIR's range 0..1 over which each mated probe is found, in the shape of ``false_alarms``."""
    return 1 - np.minimum(false_alarms, n_unmated) / n_unmated


def tpir_samples(
    false_alarms: np.ndarray, identity: np.ndarray, n_unmated: int, allowed: list[int], draws: int, seed: int
) -> np.ndarray:
    """TPIR, and the area under it, in each draw; the thresholds are those of the drawn unmated probes.

    Args:
        false_alarms: (M,) int64, how many unmated probes score at least as high as each mate; above ``n_unmated`` for
            one that is never found.
        identity: (M,) int64, whom each mated probe shows.
        n_unmated: U.
        allowed: how many false alarms each of F rates allows.
        draws: number of bootstrap samples.
        seed: of the draws.

    Returns:
        (draws, F + 1), the area last; one row of NaN without draws, or with a single identity.
    """
    people, person = np.unique(identity, return_inverse=True)
    if len(people) < 2 or not draws:
        return np.full((1, len(allowed) + 1), np.nan)
    sizes, samples = np.bincount(person), []
    step = max(1, BLOCK // (len(false_alarms) + n_unmated))
    for mated, unmated in zip(
        drawn(len(people), draws, seed, step), drawn(n_unmated, draws, seed + 1, step), strict=True
    ):
        # how many drawn unmated probes are among the first 0, 1 ... U + 1 of them, from the highest score down
        above = np.pad(np.cumsum(unmated, axis=1), ((0, 0), (1, 1)), constant_values=(0, n_unmated + 1))
        again, weight = above[:, false_alarms], mated[:, person] / (mated @ sizes)[:, None]
        columns = [(weight * (again <= limit)).sum(axis=1) for limit in allowed]
        samples.append(np.stack([*columns, (weight * found_area(again, n_unmated)).sum(axis=1)], axis=1))
    return np.concatenate(samples)
