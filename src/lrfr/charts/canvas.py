"""An SVG drawing with a plotting area between its margins, and the axes around it."""

from xml.etree import ElementTree as Xml

import numpy as np
from markupsafe import Markup

from lrfr.charts.axes import Axis

TOP, BOTTOM, LEFT, RIGHT = 10, 42, 46, 20  # margins around the plotting area, px
TITLE = 16  # room above it for the title of the vertical axis


class Canvas:
    """A drawing of ``width`` by ``height`` px; ``alt`` is what a reader who can't see it should know."""

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


def _number(value: object) -> str:
    return f"{round(float(value), 1):g}" if isinstance(value, int | float | np.number | np.ndarray) else str(value)
