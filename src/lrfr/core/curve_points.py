"""Curves that rise in steps, read at fixed rates, so that every method's stand on the same points."""

import numpy as np

from lrfr.core.pair_verification import Verification
from lrfr.core.scored_pairs import count_within

RATES = np.array([float(f"{10 ** (tenth / 10):.12g}") for tenth in range(-70, 1)])  # digits: 1e-05 is to be 1e-05
"""False-accept and false-positive identification rates (71,) at which curves are stored."""


def tar_at_rates(verified: Verification) -> np.ndarray:
    """TAR (71,) at each of ``RATES``, NaN where the impostors do not resolve the rate."""
    return np.array([
        verified.operating_point(rate)[1] if resolvable(rate, len(verified.impostor)) else np.nan for rate in RATES
    ])  # fmt: skip


def at_rates(rate: np.ndarray, value: np.ndarray, trials: int) -> np.ndarray:
    """The largest value among the points whose rate is not above each of ``RATES``.

    Args:
        rate: (N,) error rates, 0..1, in any order.
        value: (N,) what is reached there, 0..1.
        trials: how many unmated probes there were.

    Returns:
        (71,) float64, NaN where the trials do not resolve the rate.
    """
    order = np.argsort(rate, kind="stable")
    best = np.r_[np.nan, np.maximum.accumulate(np.asarray(value, float)[order])]
    reached = best[np.searchsorted(np.asarray(rate)[order], RATES, side="right")]
    return np.where([resolvable(rate, trials) for rate in RATES], reached, np.nan)


def resolvable(rate: float, trials: int) -> bool:
    """Whether an error rate can be told from none: at least one error among the trials makes no more than it."""
    return count_within(rate, trials) >= 1
