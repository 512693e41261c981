"""Charts as inline SVG: no script, the same bytes every time, colours from the page's style sheet.

Inline SVG rather than a plotting library: a page of curves stays below a megabyte, follows the reader's light or dark
scheme, and reads its values out on hover or tap through CSS alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.etree import ElementTree as Xml

import numpy as np
from markupsafe import Markup

TOP, BOTTOM, LEFT, RIGHT = 10, 42, 46, 20  # margins around the plotting area, px
TITLE = 16  # room above it for the title of the vertical axis
ROW = 26  # height of a row of a whisker chart


@dataclass(frozen=True)
class Axis:
    """A scale with its ticks (value, text) and its title; values outside ``low``..``high`` are clipped."""

    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    title: str
    log: bool = False

    def place(self, values: np.ndarray | float, start: float, end: float) -> np.ndarray:
        """Pixel positions of values: ``low`` at ``start``, ``high`` at ``end``."""
        scale = np.log if self.log else np.asarray
        low, high = scale(self.low), scale(self.high)
        share = (scale(np.clip(values, self.low, self.high)) - low) / ((high - low) or 1.0)
        return start + share * (end - start)


@dataclass(frozen=True)
class Line:
    """A curve of (N,) points. ``style`` is a class of the style sheet: colour and dashes."""

    label: str
    style: str
    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class Whisker:
    """A value with its interval, one row of a dot-and-whisker chart."""

    label: str
    style: str
    value: float
    interval: tuple[float, float] | None = None


class Canvas:
    """An SVG drawing with a plotting area between its margins."""

    def __init__(self, width: int, height: int, alt: str, left: int = LEFT, top: int = TOP) -> None:
        self.left, self.right, self.top, self.bottom = left, width - RIGHT, top, height - BOTTOM
        self.root = Xml.Element("svg", {"viewBox": f"0 0 {width} {height}", "role": "img", "aria-label": alt})
        self.root.set("class", "chart")

    def draw(
        self, tag: str, style: str, parent: Xml.Element | None = None, text: str = "", **at: object
    ) -> Xml.Element:
        """Adds an element; numbers are rounded to a tenth of a pixel."""
        values = {key.replace("_", "-"): _number(value) for key, value in at.items()}
        element = Xml.SubElement(self.root if parent is None else parent, tag, {"class": style, **values})
        element.text = text or None
        return element

    def x_axis(self, axis: Axis) -> None:
        """Draws the horizontal axis: grid lines, tick labels and the title below."""
        for value, label in axis.ticks:
            x = axis.place(value, self.left, self.right)
            self.draw("line", "grid", x1=x, x2=x, y1=self.top, y2=self.bottom)
            self.draw("text", "tick middle", text=label, x=x, y=self.bottom + 15)
        self.draw("text", "axis middle", text=axis.title, x=(self.left + self.right) / 2, y=self.bottom + 34)

    def y_axis(self, axis: Axis) -> None:
        """Draws the vertical axis: grid lines, tick labels and the title above it."""
        for value, label in axis.ticks:
            y = axis.place(value, self.bottom, self.top)
            self.draw("line", "grid", x1=self.left, x2=self.right, y1=y, y2=y)
            self.draw("text", "tick end", text=label, x=self.left - 6, y=y + 4)
        self.draw("text", "axis", text=axis.title, x=0, y=self.top - 12)

    def markup(self) -> Markup:
        """The drawing as markup that a template may insert as it is; every text in it is escaped."""
        return Markup(Xml.tostring(self.root, encoding="unicode"))


def line_chart(
    lines: Sequence[Line],
    x_axis: Axis,
    y_axis: Axis,
    alt: str,
    readings: Sequence[float] = (),
    size: tuple[int, int] = (460, 320),
) -> Markup:
    """Curves over a grid; at each x in ``readings`` the curves' values show on hover or tap.

    Args:
        lines: the curves, drawn in order.
        x_axis: horizontal scale.
        y_axis: vertical scale.
        alt: what a reader who can't see the chart should know.
        readings: positions on the x axis, increasing.
        size: width and height of the drawing, px.
    """
    canvas = Canvas(*size, alt, top=TOP + TITLE * bool(y_axis.title))
    canvas.x_axis(x_axis)
    canvas.y_axis(y_axis)
    for line in lines:
        x = x_axis.place(line.x, canvas.left, canvas.right)
        y = y_axis.place(line.y, canvas.bottom, canvas.top)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        canvas.draw("polyline", f"line {line.style}", points=points)
        if len(line.x) == 1:  # a line of one point would not show
            canvas.draw("circle", f"dot {line.style}", cx=x[0], cy=y[0], r=3.5)
    _readings(canvas, lines, x_axis, y_axis, readings)
    return canvas.markup()


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
            y, level = float(np.interp(value, line.x, line.y)), box_y + 31 + 16 * row
            canvas.draw(
                "circle", f"dot {line.style}", shown, cx=x, cy=y_axis.place(y, canvas.bottom, canvas.top), r=3.5
            )
            canvas.draw("circle", f"dot {line.style}", shown, cx=box_x + 12, cy=level - 4, r=3.5)
            canvas.draw("text", "tick", shown, line.label, x=box_x + 21, y=level)
            canvas.draw("text", "tick end", shown, f"{100 * y:.1f} %", x=box_x + room - 6, y=level)


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
    canvas.draw("text", style, text=f"{100 * whisker.value:.1f} %", x=place, y=y + 4)


def histogram(
    edges: np.ndarray, counts: np.ndarray, mark: tuple[float, str], titles: tuple[str, str], alt: str
) -> Markup:
    """Bars of ``counts`` (N,) between ``edges`` (N + 1,), with a marked value and its label."""
    canvas = Canvas(560, 300, alt, left=56, top=TOP + TITLE)
    centres = (edges[:-1] + edges[1:]) / 2
    ticks = [(float(centre), f"{centre:g}") for centre in centres[:: max(1, round(len(centres) / 14))]]
    x_axis = Axis(float(edges[0]), float(edges[-1]), ticks, titles[0])
    y_axis = Axis(
        0.0, max(float(counts.max(initial=0)), 1.0) * 1.12, nice_ticks(0, float(counts.max(initial=1))), titles[1]
    )
    canvas.y_axis(y_axis)
    canvas.x_axis(x_axis)
    places = x_axis.place(edges, canvas.left, canvas.right)
    for (start, end), centre, count in zip(pairwise(places), centres, counts, strict=True):
        y = y_axis.place(float(count), canvas.bottom, canvas.top)
        bar = canvas.draw("rect", "bar", x=start + 1, y=y, width=end - start - 2, height=canvas.bottom - y)
        canvas.draw("title", "", bar, f"{centre:g}: {count:,}")
    x = float(x_axis.place(mark[0], canvas.left, canvas.right))
    canvas.draw("line", "mark", x1=x, x2=x, y1=canvas.top, y2=canvas.bottom)
    canvas.draw("text", "tick strong halo", text=mark[1], x=x + 6, y=canvas.top + 10)
    return canvas.markup()


def nice_ticks(low: float, high: float, most: int = 5) -> list[tuple[float, str]]:
    """At most ``most`` round values between two bounds, with their texts."""
    span = (high - low) or 1.0
    base = 10 ** np.floor(np.log10(span / most))
    step = next(base * factor for factor in (1, 2, 5, 10, 20) if span / (base * factor) < most)
    values = np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step + 0.0  # no minus zero
    return [(float(value), f"{value:,.6g}" if abs(value) < 1e5 else f"{value:.1e}") for value in values]


def _number(value: object) -> str:
    return f"{round(float(value), 1):g}" if isinstance(value, int | float | np.number | np.ndarray) else str(value)
