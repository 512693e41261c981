"""Curves over a grid, whose values show on hover or tap."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from markupsafe import Markup

from lrfr.charts.axes import Axis
from lrfr.charts.canvas import TITLE, TOP, Canvas


@dataclass(frozen=True)
class Line:
    """A curve of (N,) points, N > 0. ``style`` is a class of the style sheet: colour and dashes.

    ``band`` is the lower and the upper end (N,) of an interval about it.
    """

    label: str
    style: str
    x: np.ndarray
    y: np.ndarray
    band: tuple[np.ndarray, np.ndarray] | None = None


def line_chart(
    lines: Sequence[Line],
    x_axis: Axis,
    y_axis: Axis,
    alt: str,
    readings: Sequence[float] = (),
    size: tuple[int, int] = (460, 320),
    marks: Sequence[float] = (),
) -> Markup:
    """Curves over a grid; at each x in ``readings`` the curves' values show on hover or tap.

    Args:
        lines: the curves, drawn in order.
        x_axis: horizontal scale.
        y_axis: vertical scale.
        alt: what a reader who can't see the chart should know.
        readings: positions on the x axis, increasing.
        size: width and height of the drawing, px.
        marks: positions on the x axis with a dashed rule.
    """
    canvas = Canvas(*size, alt, top=TOP + TITLE * bool(y_axis.title))
    canvas.x_axis(x_axis)
    canvas.y_axis(y_axis)
    for mark in x_axis.place(np.array(marks, float), canvas.left, canvas.right):
        canvas.draw("line", "mark", x1=mark, x2=mark, y1=canvas.top, y2=canvas.bottom)
    for line in lines:
        _draw(canvas, line, x_axis, y_axis)
    _readings(canvas, lines, x_axis, y_axis, readings)
    return canvas.markup()


def _draw(canvas: Canvas, line: Line, x_axis: Axis, y_axis: Axis) -> None:
    """A curve on its band."""
    x = x_axis.place(line.x, canvas.left, canvas.right)
    y = y_axis.place(line.y, canvas.bottom, canvas.top)
    if line.band is not None:
        low, high = (y_axis.place(end, canvas.bottom, canvas.top) for end in line.band)
        outline = _points(np.concatenate([x, x[::-1]]), np.concatenate([low, high[::-1]]))
        canvas.draw("polygon", f"band {line.style}", points=outline)
    canvas.draw("polyline", f"line {line.style}", points=_points(x, y))
    if len(line.x) == 1:  # a line of one point would not show
        canvas.draw("circle", f"dot {line.style}", cx=x[0], cy=y[0], r=3.5)


def _points(x: np.ndarray, y: np.ndarray) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))


def _readings(canvas: Canvas, lines: Sequence[Line], x_axis: Axis, y_axis: Axis, values: Sequence[float]) -> None:
    """Invisible strips over the chart; the one under the pointer shows a rule and the curves' values there."""
    places = [float(x_axis.place(value, canvas.left, canvas.right)) for value in values]
    room = 84 + 7 * max((len(line.label) for line in lines), default=0)  # of the box of values, px
    edges = [canvas.left, *((a + b) / 2 for a, b in pairwise(places)), canvas.right]
    for value, x, (start, end) in zip(values, places, pairwise(edges), strict=False):
        strip = canvas.draw("g", "strip")
        canvas.draw("rect", "hit", strip, x=start, y=canvas.top, width=end - start, height=canvas.bottom - canvas.top)
        shown = canvas.draw("g", "reading", strip)
        canvas.draw("line", "rule", shown, x1=x, x2=x, y1=canvas.top, y2=canvas.bottom)
        box_x = x + 8 if x < (canvas.left + canvas.right) / 2 else x - 8 - room
        box_y = canvas.bottom - 28 - 16 * len(lines)
        canvas.draw("rect", "box", shown, x=box_x, y=box_y, width=room, height=16 * len(lines) + 22, rx=4)
        canvas.draw("text", "tick strong", shown, f"{x_axis.title} {value:g}", x=box_x + 8, y=box_y + 15)
        for row, line in enumerate(lines):
            level = box_y + 31 + 16 * row
            canvas.draw("circle", f"dot {line.style}", shown, cx=box_x + 12, cy=level - 4, r=3.5)
            canvas.draw("text", "tick", shown, line.label, x=box_x + 21, y=level)
            y = float(np.interp(value, line.x, line.y, left=np.nan, right=np.nan))
            if np.isfinite(y):
                place = y_axis.place(y, canvas.bottom, canvas.top)
                canvas.draw("circle", f"dot {line.style}", shown, cx=x, cy=place, r=3.5)
            said = f"{100 * y:.1f} %" if np.isfinite(y) else "–"
            canvas.draw("text", "tick end", shown, said, x=box_x + room - 6, y=level)
