"""Whether two samples of numbers are of one distribution, and how far apart they are.

Every figure here is of samples, not of sequences: another order of the values gives the same bits.
"""

import math

import numpy as np

TERMS = 100  # of Kolmogorov's series; 4 suffice where it matters


def kolmogorov_smirnov(reference: np.ndarray, current: np.ndarray) -> float:
    """The p-value, 0..1, of the two-sample test of Kolmogorov and Smirnov, by Kolmogorov's asymptotic distribution.

    With M. Stephens' correction for few values (J. Royal Statistical Society B 32(1), 1970), as in Press et al.,
    "Numerical Recipes", 14.3. Ties make it conservative.

    Args:
        reference: (N,), at least one value.
        current: (M,), at least one value.
    """
    root = math.sqrt(len(reference) * len(current) / (len(reference) + len(current)))
    away = (root + 0.12 + 0.11 / root) * _steps(reference, current)[1].max(initial=0.0)
    if away < 0.2:  # the series converges slowly there, to 1
        return 1.0
    terms = np.arange(1, TERMS + 1)
    return float(np.clip(2 * ((-1.0) ** (terms - 1) * np.exp(-2 * terms**2 * away**2)).sum(), 0, 1))


def standard_distance(reference: np.ndarray, current: np.ndarray) -> float:
    """Wasserstein's first distance of two samples (N,) and (M,), in standard deviations of the reference, of which a
    thousandth counts at least: a size of effect, that does not grow with the samples."""
    values, differences = _steps(reference, current)
    distance = (differences[:-1] * np.diff(values)).sum()
    return float(distance / max(np.sort(reference).std(), 0.001))


def fisher_exact(reference: tuple[int, int], current: tuple[int, int]) -> float:
    """The two-sided p-value, 0..1, that two shares are equal: Fisher's exact test (R. Fisher, "Statistical Methods for
    Research Workers", 5th edition, 1934, section 21.02).

    Args:
        reference: how many have the property, and how many there are.
        current: likewise.
    """
    (having, size), (having_too, size_too) = reference, current
    total = having + having_too
    possible = np.arange(max(0, total - size_too), min(total, size) + 1)
    logarithms = np.array([_choose(size, k) + _choose(size_too, total - k) for k in possible.tolist()])
    chances = np.exp(logarithms - _choose(size + size_too, total))
    observed = chances[having - possible[0]]
    return float(min(1.0, chances[chances <= observed * (1 + 1e-7)].sum()))


def sorted_rows(sample: np.ndarray) -> np.ndarray:
    """The rows of a sample (N, D) in an order that their values alone decide."""
    return sample[np.lexsort(sample.T[::-1])]


def _choose(of: int, some: int) -> float:
    """The logarithm of the number of ways to choose ``some`` of ``of``."""
    return math.lgamma(of + 1) - math.lgamma(some + 1) - math.lgamma(of - some + 1)


def _steps(reference: np.ndarray, current: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All values (N + M,), ascending, and how far apart the two distribution functions are from each on."""
    values = np.sort(np.concatenate([reference, current]))
    shares = [np.searchsorted(np.sort(of), values, side="right") / len(of) for of in (reference, current)]
    return values, np.abs(shares[0] - shares[1])
