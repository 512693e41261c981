"""How every training went: a small chart of each of its loss terms, of its validation losses and its learning rate."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from lrfr.charts.axes import Axis, decade_axis, nice_ticks
from lrfr.charts.lines import Line, line_chart
from lrfr.report.blocks import Panel
from lrfr.report.results import Curve, Results

VALIDATION = "validation_"  # begins the columns of validation losses
RATE = "learning_rate"
MOST_POINTS = 160
FAR_APART = 100.0  # the ratio of the highest to the lowest value from which on a scale is logarithmic


@dataclass(frozen=True)
class Training:
    """One training's curves; none for a run that is not trained."""

    name: str
    updates: int
    steps: int
    panels: list[Panel]


def training_figures(results: Results, styles: dict[str, str]) -> list[Training]:
    """Small charts of every training, a run's in its colour."""
    return [_training(title, curve, styles[run].split()[0] if run else "ink") for title, run, curve in results.training]


def beginnings(curve: Curve) -> list[float]:
    """The updates after which another of a run's steps begins.

    A curve does not name its steps: one begins where other loss terms are computed than in the epoch before, or where
    epochs begin to have another number of updates, which is another collection's.
    """
    updates = curve["step"]
    terms = [values for name, values in curve.items() if name not in ("step", RATE) and not name.startswith(VALIDATION)]
    computed = np.isfinite(np.array(terms)).reshape(len(terms), len(updates))
    epoch = np.diff(updates, prepend=0.0)
    begins = (computed[:, 1:] != computed[:, :-1]).any(axis=0) | (epoch[1:] != epoch[:-1])
    return updates[:-1][begins].tolist()


def _training(name: str, curve: Curve, colour: str) -> Training:
    """A chart for each loss term, its validation value dotted in the same chart, and the learning rate last."""
    updates = curve.get("step", np.empty(0))
    if not len(updates):
        return Training(name, 0, 0, [])
    terms = dict.fromkeys(column.removeprefix(VALIDATION) for column in curve if column not in ("step", RATE))
    marks, panels = beginnings(curve), []
    for term in [*terms, RATE]:
        lines = [
            Line(column, f"{colour} {dashes}", *_averaged(updates, curve[column]))
            for column, dashes in ((term, "d0"), (VALIDATION + term, "d2"))
            if column in curve and np.isfinite(curve[column]).any()
        ]
        if lines:
            panels.append(Panel(lines[0].label.replace("_", " "), _small(lines, float(updates[-1]), marks)))
    return Training(name, int(updates[-1]), len(marks) + 1, panels)


def _small(lines: list[Line], last: float, marks: list[float]) -> Markup:
    said = (
        f"{line.label}: {line.y[0]:.4g} at update {line.x[0]:g}, {line.y[-1]:.4g} at update {line.x[-1]:g}"
        for line in lines
    )
    x_axis = Axis(0, last, nice_ticks(0, last, 4), "updates")
    values = np.concatenate([line.y for line in lines])
    y_axis = _linear(values) if lines[0].label == RATE else _scale(values)
    return line_chart(lines, x_axis, y_axis, "; ".join(said).replace("_", " "), size=(240, 160), marks=marks)


def _scale(values: np.ndarray) -> Axis:
    """Logarithmic where a loss's values lie far apart."""
    low, high = float(values.min()), float(values.max())
    return decade_axis(low, high, "") if 0 < FAR_APART * low <= high else _linear(values)


def _linear(values: np.ndarray) -> Axis:
    """From zero on, unless the values stay far above it."""
    low, high = float(values.min()), float(values.max())
    low = min(low, 0.0) if low < 0.5 * high or low == high else low
    high = high if high > low else low + 1.0
    return Axis(low, high + 0.05 * (high - low), nice_ticks(low, high), "")


def _averaged(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A curve without its blank cells, a long one as means over neighbours, so that its course shows."""
    x, y = x[np.isfinite(y)], y[np.isfinite(y)]
    groups = np.array_split(np.arange(len(x)), min(len(x), MOST_POINTS))
    return np.array([x[group].mean() for group in groups]), np.array([y[group].mean() for group in groups])
