"""Scales and their ticks: linear, logarithmic, and the normal deviates of a DET plot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

Scale = Literal["linear", "log", "probit"]

PERCENT = [(share / 100, f"{share} %") for share in range(0, 101, 20)]
PROBIT_TICKS = (1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999)

# Martin et al., "The DET curve in assessment of detection task performance", Eurospeech 1997: both error rates on the
# scale of normal deviates, where normally distributed scores give straight lines.
_SCALES: dict[Scale, Callable[[np.ndarray], np.ndarray]] = {
    "linear": np.asarray,
    "log": np.log,
    "probit": np.vectorize(NormalDist().inv_cdf, otypes=[float]),
}


@dataclass(frozen=True)
class Axis:
    """A scale with its ticks (value, text) and its title; values outside ``low``..``high`` are clipped.

    ``low`` lies above 0 on a logarithmic scale, both ends between 0 and 1 on a probit scale.
    """

    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    title: str
    scale: Scale = "linear"

    def place(self, values: np.ndarray | float, start: float, end: float) -> np.ndarray:
        """Pixel positions of values: ``low`` at ``start``, ``high`` at ``end``."""
        scaled = _SCALES[self.scale]
        low, high = scaled(np.array(self.low)), scaled(np.array(self.high))
        share = (scaled(np.clip(values, self.low, self.high)) - low) / ((high - low) or 1.0)
        return start + share * (end - start)


def share_axis(title: str) -> Axis:
    """A linear axis from 0 to 100 %."""
    return Axis(0.0, 1.0, PERCENT, title)


def decade_axis(low: float, high: float, title: str) -> Axis:
    """A logarithmic axis with a tick at every power of ten; ``low`` and ``high`` are above 0."""
    powers = range(int(np.ceil(np.log10(low) - 1e-9)), int(np.floor(np.log10(high) + 1e-9)) + 1)
    return Axis(low, high, [(10.0**power, f"{10.0**power:g}") for power in powers], title, "log")


def probit_axis(low: float, high: float, title: str) -> Axis:
    """An error rate on the scale of normal deviates; 0 < ``low`` < ``high`` < 1."""
    ticks = [(rate, f"{100 * rate:g} %") for rate in PROBIT_TICKS if low * 0.999 <= rate <= high * 1.001]
    return Axis(low, high, ticks, title, "probit")


def nice_ticks(low: float, high: float, most: int = 5) -> list[tuple[float, str]]:
    """At most ``most`` round values between two bounds, with their texts."""
    span = (high - low) or 1.0
    base = 10 ** np.floor(np.log10(span / most))
    step = next(base * factor for factor in (1, 2, 5, 10, 20) if span / (base * factor) < most)
    values = np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step + 0.0  # no minus zero
    return [(float(value), f"{value:,.6g}" if abs(value) < 1e5 else f"{value:.1e}") for value in values]
