"""The protocols' curves: CMC, PR, ROC, DET, TPIR-FPIR, ERC, and rank-1 against the width."""

from collections.abc import Mapping

import numpy as np
from markupsafe import Markup

from lrfr.charts.axes import Axis, decade_axis, nice_ticks, probit_axis, share_axis
from lrfr.charts.lines import Line, line_chart

Points = tuple[np.ndarray, np.ndarray]
CMC_TICKS = (1, 2, 5, 10, 20, 50, 100)
MOST_ALARMS = 0.95  # the right end of a DET plot
LEAST_MISS, MOST_MISS = 0.005, 0.99  # the ends of a DET plot's vertical axis, lower where a curve is


def cmc_chart(curves: Mapping[str, Points], styles: Mapping[str, str], said: str) -> Markup:
    """Share of probes found over the rank, which is logarithmic."""
    last = max(float(x[-1]) for x, _ in curves.values())
    ticks = [(float(rank), f"{rank}") for rank in CMC_TICKS if rank <= last]
    return _chart(curves, styles, Axis(1, last, ticks, "rank", "log"), share_axis("probes found"), said)


def pr_chart(curves: Mapping[str, Points], styles: Mapping[str, str], said: str) -> Markup:
    """Precision over recall, both linear."""
    return _chart(curves, styles, share_axis("recall"), share_axis("precision"), said)


def rate_chart(curves: Mapping[str, Points], styles: Mapping[str, str], titles: tuple[str, str], said: str) -> Markup:
    """A ROC, or TPIR against FPIR: a share that is reached over an error rate, which is logarithmic."""
    return _chart(curves, styles, decade_axis(_lowest(curves), 1.0, titles[0]), share_axis(titles[1]), said)


def det_chart(curves: Mapping[str, Points], styles: Mapping[str, str], titles: tuple[str, str], said: str) -> Markup:
    """A DET plot: misses over false alarms, both on the scale of normal deviates."""
    x_axis = probit_axis(min(max(_lowest(curves), 1e-6), 0.1), MOST_ALARMS, titles[0])
    within = {name: x <= MOST_ALARMS for name, (x, _) in curves.items()}
    shown = {name: (x[within[name]], y[within[name]]) for name, (x, y) in curves.items() if within[name].any()}
    curves = shown or curves
    least = min(float(y[y > 0].min(initial=LEAST_MISS)) for _, y in curves.values())
    return _chart(curves, styles, x_axis, probit_axis(max(least, 1e-5), MOST_MISS, titles[1]), said)


def width_chart(curves: Mapping[str, Points], styles: Mapping[str, str], said: str) -> Markup:
    """Rank-1 over the width that faces were down-sampled to."""
    low, high = (end(np.concatenate([x for x, _ in curves.values()])) for end in (np.min, np.max))
    x_axis = Axis(float(low), float(high), nice_ticks(float(low), float(high), 6), "face width, px")
    return _chart(curves, styles, x_axis, share_axis("rank-1"), said)


def density_chart(curves: Mapping[str, Points], styles: Mapping[str, str], said: str) -> Markup:
    """Shares of faces over a quality, 0..1."""
    highest = max(float(y.max()) for _, y in curves.values()) or 1.0
    ticks = [(value, f"{100 * value:g} %") for value, _ in nice_ticks(0.0, highest)]
    x_axis = Axis(0.0, 1.0, nice_ticks(0.0, 1.0, 6), "quality")
    return _chart(curves, styles, x_axis, Axis(0.0, 1.05 * highest, ticks, "share of faces"), said)


def reject_chart(
    curves: Mapping[str, Points], styles: Mapping[str, str], said: str, rejected: str = "pairs rejected"
) -> Markup:
    """FNMR over the share of pairs, or of images, that were ``rejected``."""
    highest = max(float(y.max()) for _, y in curves.values()) or 1.0
    ticks = [(value, f"{100 * value:g} %") for value, _ in nice_ticks(0.0, highest)]
    y_axis = Axis(0.0, 1.05 * highest, ticks, "FNMR")
    return _chart(curves, styles, share_axis(rejected), y_axis, said)


def _chart(curves: Mapping[str, Points], styles: Mapping[str, str], x_axis: Axis, y_axis: Axis, said: str) -> Markup:
    """``said`` begins the description for those who can't see the chart; the values follow."""
    lines = [Line(name, styles[name], x, y) for name, (x, y) in reversed(list(curves.items()))]
    readings = [value for value, _ in x_axis.ticks if value < 1 or x_axis.scale != "log" or x_axis.title == "rank"]
    middle = readings[len(readings) // 2] if readings else x_axis.high
    values = ", ".join(f"{line.label} {100 * float(np.interp(middle, line.x, line.y)):.1f} %" for line in lines[::-1])
    return line_chart(lines, x_axis, y_axis, f"{said} At {x_axis.title} {middle:g}: {values}.", readings)


def _lowest(curves: Mapping[str, Points]) -> float:
    return min(float(x[x > 0].min(initial=0.1)) for x, _ in curves.values())
