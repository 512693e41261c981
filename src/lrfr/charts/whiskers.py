"""Dots with intervals, one row for each value."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from lrfr.charts.axes import Axis
from lrfr.charts.canvas import BOTTOM, TOP, Canvas

ROW = 26  # height of a row, px


@dataclass(frozen=True)
class Whisker:
    """A value with its interval, one row of a chart; ``text`` says the value, in percent where it is empty."""

    label: str
    style: str
    value: float
    interval: tuple[float, float] | None = None
    text: str = ""


def whisker_chart(whiskers: Sequence[Whisker], axis: Axis, alt: str) -> Markup:
    """Dots with intervals, one row for each value, on a horizontal scale."""
    canvas = Canvas(460, TOP + BOTTOM + ROW * len(whiskers), alt, left=112)
    canvas.x_axis(axis)
    for row, whisker in enumerate(whiskers):
        _whisker(canvas, whisker, axis, canvas.top + ROW * (row + 0.5))
    return canvas.markup()


def _whisker(canvas: Canvas, whisker: Whisker, axis: Axis, y: float) -> None:
    """One row: name, interval, dot, and the value in figures where there is room."""
    low, high = whisker.interval or (whisker.value, whisker.value)
    left, x, right = (float(axis.place(value, canvas.left, canvas.right)) for value in (low, whisker.value, high))
    canvas.draw("text", "tick end", text=whisker.label, x=canvas.left - 12, y=y + 4)
    canvas.draw("line", f"whisker {whisker.style}", x1=left, x2=right, y1=y, y2=y)
    canvas.draw("circle", f"dot {whisker.style}", cx=x, cy=y, r=5)
    beyond = right > canvas.right - 60
    place, style = (left - 10, "tick strong end") if beyond else (right + 10, "tick strong")
    canvas.draw("text", style, text=whisker.text or f"{100 * whisker.value:.1f} %", x=place, y=y + 4)
