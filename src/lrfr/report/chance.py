"""What a random ranking scores: the floor under every figure."""

import numpy as np


def chance_cmc(mates: np.ndarray, gallery: int, ranks: np.ndarray) -> np.ndarray:
    """The expected CMC of a random ranking, exact.

    Args:
        mates: (P,) int, how many gallery images show each probe's identity, at least 1.
        gallery: number of gallery images.
        ranks: (K,) int, 1..gallery.

    Returns:
        (K,) expected share of probes, 0..1, with a mate within each rank.
    """
    counts, probes = np.unique(mates, return_counts=True)
    # P(no mate within k) = prod over the mates j of (gallery - k - j) / (gallery - j): no mate falls into the first k.
    missed = np.zeros(len(ranks))
    for count, weight in zip(counts, probes / len(mates), strict=True):
        others = np.arange(count)
        missed += weight * np.prod(np.clip(gallery - ranks[:, None] - others, 0, None) / (gallery - others), axis=1)
    return 1.0 - missed


def chance_map(mates: np.ndarray, gallery: int) -> float:
    """The expected mean average precision (exact definition, 0..1) of a random ranking.

    A mate stands at each rank k with probability m / n; then the other m - 1 mates are spread evenly over the other
    n - 1 places, so precision there is (1 + (k - 1)(m - 1) / (n - 1)) / k.
    """
    if gallery == 1:
        return 1.0
    ranks = np.arange(1, gallery + 1)
    first, rest = np.mean(1.0 / ranks), np.mean((ranks - 1.0) / ranks) / (gallery - 1)
    return float(np.mean(first + rest * (mates - 1)))
