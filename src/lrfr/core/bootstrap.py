"""Bootstrap intervals over identities: the images of one person are not independent of each other."""

import numpy as np


def interval(
    values: np.ndarray, identity: np.ndarray, draws: int, seed: int, confidence: float = 0.95
) -> tuple[float, float]:
    """The percentile bootstrap interval of a mean, with whole identities drawn with replacement.

    Args:
        values: (P,) one value per probe, such as "identified at rank 1".
        identity: (P,) the probes' identities.
        draws: number of bootstrap samples.
        seed: of the random draws.
        confidence: 0..1.

    Returns:
        The lower and the upper end.
    """
    _, group = np.unique(identity, return_inverse=True)
    sums, sizes = np.bincount(group, weights=values), np.bincount(group)
    drawn = np.random.default_rng(seed).integers(len(sums), size=(draws, len(sums)))
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
