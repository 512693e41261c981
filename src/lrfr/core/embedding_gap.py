"""How far two samples of embeddings are apart: Fréchet's distance, the kernel's mean discrepancy, and how well a
classifier tells one from the other; each with a bootstrap interval.

None of them depends on the order of rows: the caller sorts both samples (:func:`lrfr.core.two_samples.sorted_rows`).
"""

from collections.abc import Callable

import numpy as np

from lrfr.core.bootstrap import drawn, ends

AXES = 32  # of the Fréchet distance: of some hundred faces the covariance of more axes is mostly chance
PERMUTATIONS = 999


def frechet_distance(x: np.ndarray, y: np.ndarray) -> float:
    """The squared Fréchet distance of the normal distributions with the samples' means and covariances, 0 or more.

    d^2 = |m_x - m_y|^2 + Tr(C_x + C_y - 2 (C_x C_y)^(1/2)): D. Dowson and B. Landau, "The Fréchet distance between
    multivariate normal distributions", J. Multivariate Analysis 12(3), 1982; of embeddings: M. Heusel et al., "GANs
    Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium" (FID), NeurIPS 2017, eq. 6.

    Args:
        x: (N, D), N of at least 2.
        y: (M, D), M of at least 2.
    """
    return _frechet(*_moments(x, np.ones(len(x))), *_moments(y, np.ones(len(y))))


def principal_axes(x: np.ndarray, y: np.ndarray, count: int = AXES) -> tuple[np.ndarray, np.ndarray]:
    """Two samples (N, D) and (M, D) on the first principal axes of both together: (N, d), (M, d), d at most ``count``,
    D and the fewer of both samples' faces less one."""
    both = np.concatenate([x, y])
    centre = both.mean(axis=0)
    _, vectors = np.linalg.eigh(np.cov((both - centre).T).reshape(x.shape[1], x.shape[1]))
    kept = vectors[:, ::-1][:, : min(count, len(x) - 1, len(y) - 1)]
    return (x - centre) @ kept, (y - centre) @ kept


def gaussian_kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """k(a, b) = exp(-|a - b|^2 / (2 s^2)) of all rows of x (N, D) and y (M, D) with each other: (N + M, N + M).

    s is the median distance of two different rows of them (A. Gretton et al., below, section 8), and 1 where that is 0.
    """
    both = np.concatenate([x, y]).astype(np.float64)
    lengths = (both**2).sum(axis=1)
    squared = np.maximum(lengths[:, None] + lengths - 2 * both @ both.T, 0)
    middle = np.median(squared[np.triu_indices(len(both), 1)])
    return np.exp(-squared / (2 * middle if middle > 0 else 2))


def kernel_discrepancy(kernel: np.ndarray, count: int) -> float:
    """MMD_u^2, the unbiased estimate of the squared maximum mean discrepancy: about 0 for samples of one distribution.

    A. Gretton et al., "A Kernel Two-Sample Test", JMLR 13, 2012, eq. 3; of embeddings (KID): M. Binkowski et al.,
    "Demystifying MMD GANs", ICLR 2018.

    Args:
        kernel: (N + M, N + M) of both samples.
        count: N, 2 and more, as M.
    """
    ones = np.ones((1, len(kernel)))
    return float(_discrepancies(kernel, ones[:, :count], ones[:, count:])[0])


def kernel_p_value(kernel: np.ndarray, count: int, seed: int, draws: int = PERMUTATIONS) -> float:
    """How likely so large a discrepancy is between random halves of the same faces: a permutation test, never 0.

    Args:
        kernel: (N + M, N + M) of both samples.
        count: N.
        seed: of the permutations.
        draws: how many.
    """
    size = len(kernel)
    rng = np.random.default_rng(seed)
    chosen = np.zeros((size, draws))
    for column in range(draws):
        chosen[rng.permutation(size)[:count], column] = 1
    off = kernel - np.diag(np.diag(kernel))
    sums = off @ chosen
    within = (sums * chosen).sum(axis=0)
    across = sums.sum(axis=0) - within
    others = off.sum() - within - 2 * across
    rest = size - count
    drawn_values = within / (count * (count - 1)) + others / (rest * (rest - 1)) - 2 * across / (count * rest)
    least = kernel_discrepancy(kernel, count) - 1e-12
    return (int((drawn_values >= least).sum()) + 1) / (draws + 1)


def area_under_curve(x: np.ndarray, y: np.ndarray) -> float:
    """The probability, 0..1, that a score of y (M,) is above one of x (N,); equal ones count half: the area under the
    ROC curve (J. Hanley and B. McNeil, Radiology 143(1), 1982)."""
    return float(_above(x, y).mean())


def frechet_interval(x: np.ndarray, y: np.ndarray, draws: int, seed: int) -> tuple[float, float]:
    """The 95 % interval of :func:`frechet_distance`, see :func:`_interval`."""

    def of(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        both = zip(left, right, strict=True)
        return np.array([_frechet(*_moments(x, a), *_moments(y, b)) for a, b in both])

    return _interval(of, len(x), len(y), frechet_distance(x, y), draws, seed, (0, np.inf))


def discrepancy_interval(kernel: np.ndarray, count: int, draws: int, seed: int) -> tuple[float, float]:
    """The 95 % interval of :func:`kernel_discrepancy`, see :func:`_interval`."""
    value = kernel_discrepancy(kernel, count)
    bounds = (-np.inf, np.inf)
    return _interval(lambda a, b: _discrepancies(kernel, a, b), count, len(kernel) - count, value, draws, seed, bounds)


def area_interval(x: np.ndarray, y: np.ndarray, draws: int, seed: int) -> tuple[float, float]:
    """The 95 % interval of :func:`area_under_curve`, see :func:`_interval`."""
    above = _above(x, y)

    def of(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return ((left @ above) * right).sum(axis=1) / above.size

    return _interval(of, len(x), len(y), float(above.mean()), draws, seed, (0, 1))


def _interval(
    of: Callable[[np.ndarray, np.ndarray], np.ndarray],
    left: int,
    right: int,
    value: float,
    draws: int,
    seed: int,
    bounds: tuple[float, float],
) -> tuple[float, float]:
    """A bootstrap interval: the rows of both samples are drawn with replacement, and the middle 95 % of the draws are
    moved so that their mean is the value itself. Draws repeat rows, which alone makes distances larger; that much is
    taken off (B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", 1993, section 10.2).

    Args:
        of: how often each row was drawn, (B, N) and (B, M), to the values (B,).
        left: N.
        right: M.
        value: of the samples as they are.
        draws: number of bootstrap samples.
        seed: of the draws.
        bounds: least and greatest value that there can be.
    """
    pairs = zip(drawn(left, draws, seed, 100), drawn(right, draws, seed + 1, 100), strict=True)
    values = np.concatenate([of(a, b) for a, b in pairs])
    low, high = np.clip(ends(values) - values.mean() + value, *bounds)
    return float(low), float(high)


def _moments(sample: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (D,) and covariance (D, D) of a sample (N, D) whose rows count so many times (N,)."""
    total = times.sum()
    mean = times @ sample / total
    away = sample - mean
    return mean, (away * times[:, None]).T @ away / (total - 1)


def _frechet(mean_x: np.ndarray, cov_x: np.ndarray, mean_y: np.ndarray, cov_y: np.ndarray) -> float:
    """Of two normal distributions. The eigenvalues of C_x C_y are those of the symmetric C_x^(1/2) C_y C_x^(1/2)."""
    values, vectors = np.linalg.eigh(cov_x)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    both = np.linalg.eigvalsh(root @ cov_y @ root)
    trace = np.trace(cov_x) + np.trace(cov_y) - 2 * np.sqrt(np.maximum(both, 0)).sum()
    return float(max(((mean_x - mean_y) ** 2).sum() + trace, 0.0))


def _discrepancies(kernel: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """MMD_u^2 (B,) where rows count so many times, (B, N) and (B, M); a row is never compared with itself."""
    count = left.shape[1]
    diagonal = np.diag(kernel)
    within = [
        (((times @ block) * times).sum(axis=1) - (times**2) @ own) / (times.sum(axis=1) ** 2 - (times**2).sum(axis=1))
        for times, block, own in (
            (left, kernel[:count, :count], diagonal[:count]),
            (right, kernel[count:, count:], diagonal[count:]),
        )
    ]
    across = ((left @ kernel[:count, count:]) * right).sum(axis=1) / (left.sum(axis=1) * right.sum(axis=1))
    return within[0] + within[1] - 2 * across


def _above(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Whether each score of y (M,) is above each of x (N,): (N, M) of 0, 0.5 and 1."""
    return (y > x[:, None]) + 0.5 * (y == x[:, None])
