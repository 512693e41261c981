"""Is A better than B? A paired test on the same probes, with identities as the units that may be exchanged."""

from dataclasses import dataclass

import numpy as np

from lrfr.core.bootstrap import interval, rounded
from lrfr.errors import EmbeddingError

BLOCK = 2**22  # signs drawn at once


@dataclass(frozen=True)
class Comparison:
    """The outcome of a paired comparison.

    Attributes:
        difference: the mean of A minus the mean of B; positive where A is better.
        interval: the 95 % bootstrap interval of the difference over identities; None with a single identity.
        p_value: 0..1, two-sided: how often chance alone makes a difference at least as large, in either direction.
    """

    difference: float
    interval: tuple[float, float] | None
    p_value: float

    def figures(self) -> dict[str, object]:
        """``difference``, ``difference_interval`` and ``p_value``, to 6 decimals."""
        return {
            "difference": round(self.difference, 6) + 0.0,  # no minus zero
            "difference_interval": None if self.interval is None else rounded(np.array(self.interval)),
            "p_value": round(self.p_value, 6),
        }


def better(
    values_a: np.ndarray, values_b: np.ndarray, identity: np.ndarray, draws: int = 10_000, seed: int = 0
) -> Comparison:
    """Tests whether A and B differ on the same probes: a sign-flip permutation test of per-identity sums.

    If A and B were equally good, each identity's summed difference could as well have the other sign, for all of the
    identity's probes together. The test is two-sided: of all sign patterns, or of ``draws`` random ones where there are
    more, the share whose sum is at least as far from zero as the one observed; random ones include the observed one,
    so p is never 0 (B. Phipson and G. Smyth, "Permutation P-values should never be zero", 2010, eq. 4).

    Args:
        values_a: (P,) a value per probe under A, such as "identified at rank 1" or the average precision.
        values_b: (P,) the same probes' values under B.
        identity: (P,) the probes' identities.
        draws: number of random sign patterns and of bootstrap samples.
        seed: of the draws.

    Raises:
        EmbeddingError: the three differ in length, are empty, or a value is not finite.
    """
    values_a, values_b, identity = np.asarray(values_a), np.asarray(values_b), np.asarray(identity)
    if values_a.ndim != 1 or not values_a.shape == values_b.shape == identity.shape or not len(identity):
        shapes = f"{values_a.shape}, {values_b.shape} and {identity.shape}"
        raise EmbeddingError(f"A, B and the identities have the shapes {shapes}", remedy="give one of each per probe")
    difference = values_a.astype(np.float64) - values_b
    if not np.isfinite(difference).all():
        row = np.flatnonzero(~np.isfinite(difference))[0]
        raise EmbeddingError("a value is not finite", where=f"probe row {row}")
    low, high = interval(difference, identity, draws, seed)
    _, person = np.unique(identity, return_inverse=True)
    sums = np.bincount(person, weights=difference)
    pair = None if np.isnan(low) else (low, high)
    return Comparison(float(difference.mean()), pair, _p_value(sums[sums != 0], draws, seed))


def _p_value(sums: np.ndarray, draws: int, seed: int) -> float:
    """The two-sided p-value of the total of ``sums`` (N,), none of them 0, under random signs."""
    least = abs(sums.sum()) * (1 - 1e-12)  # totals of the same numbers differ by rounding
    if len(sums) < 63 and 2 ** len(sums) <= draws:
        patterns = np.arange(2 ** len(sums))[:, None] >> np.arange(len(sums)) & 1
        return float((abs((1 - 2 * patterns) @ sums) >= least).mean())
    rng, extreme, step = np.random.default_rng(seed), 0, max(1, BLOCK // len(sums))
    for start in range(0, draws, step):
        signs = rng.integers(0, 2, size=(min(step, draws - start), len(sums)), dtype=np.int8)
        extreme += int((abs((1.0 - 2 * signs) @ sums) >= least).sum())
    return (extreme + 1) / (draws + 1)
