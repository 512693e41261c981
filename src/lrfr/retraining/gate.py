"""Whether a challenger takes the champion's place: each gate with what was observed."""

from dataclasses import dataclass
from typing import Any

from lrfr.core.significance import Comparison
from lrfr.retraining.settings import Gate


@dataclass(frozen=True)
class Observed:
    """What was measured of a challenger.

    Attributes:
        native: rank-1 on native LR, challenger against champion on the same probes.
        hr: the same on HR faces.
        latency: ms a face.
        size: MB.
    """

    native: Comparison
    hr: Comparison
    latency: float
    size: float


def judge(observed: Observed, limits: Gate) -> list[dict[str, Any]]:
    """The gates; the challenger is promoted if all are passed."""
    native, hr = observed.native, observed.hr
    return [
        {
            "gate": "better on native LR: interval above 0",
            "passed": native.interval is not None and native.interval[0] > 0,
            "observed": _difference(native),
            **_figures("native LR", native),
        },
        {
            "gate": f"no worse on HR: interval above -{100 * limits.hr_loss:g} points",
            "passed": hr.interval is not None and hr.interval[0] >= -limits.hr_loss,
            "observed": _difference(hr),
            **_figures("HR", hr),
        },
        {
            "gate": f"latency: {limits.latency:g} ms a face at most",
            "passed": observed.latency <= limits.latency,
            "observed": f"{observed.latency:.1f} ms",
        },
        {
            "gate": f"size: {limits.size:g} MB at most",
            "passed": observed.size <= limits.size,
            "observed": f"{observed.size:.1f} MB",
        },
    ]


def _figures(name: str, compared: Comparison) -> dict[str, Any]:
    figures = compared.figures()
    return {"name": name, "difference": figures["difference"], "interval": figures["difference_interval"]}


def _difference(compared: Comparison) -> str:
    low, high = compared.interval or (float("nan"), float("nan"))
    ends = f"95 % interval {100 * low:+.1f} to {100 * high:+.1f}" if compared.interval else "of one person alone"
    return f"rank-1 {100 * compared.difference:+.1f} points, {ends}, p = {compared.p_value:.4f}"
