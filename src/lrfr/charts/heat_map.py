"""A matrix of shares as coloured cells with their values in them."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from lrfr.charts.canvas import BOTTOM, TITLE, TOP, Canvas

WIDTH, LEFT, RIGHT = 460, 64, 20  # px
WIDEST, HEIGHT = 58, 30  # of a cell, px
STRONGEST = 0.75  # opacity of 100 %, at which the text can still be read


def heat_map(
    values: np.ndarray, rows: Sequence[str], columns: Sequence[str], titles: tuple[str, str], alt: str
) -> Markup:
    """A matrix whose cells are the darker the higher their value.

    Args:
        values: (R, C), 0..1; NaN where there is no value.
        rows: R labels, from the top.
        columns: C labels, from the left.
        titles: what the rows stand for, and what the columns do.
        alt: what a reader who can't see the matrix should know.
    """
    width = min(WIDEST, (WIDTH - LEFT - RIGHT) / len(columns))
    canvas = Canvas(WIDTH, TOP + TITLE + BOTTOM + HEIGHT * len(rows), alt, LEFT, TOP + TITLE)
    canvas.draw("text", "axis", text=titles[0], x=0, y=canvas.top - 12)
    canvas.draw("text", "axis middle", text=titles[1], x=canvas.left + width * len(columns) / 2, y=canvas.bottom + 34)
    for number, label in enumerate(columns):
        canvas.draw("text", "tick middle", text=label, x=canvas.left + width * (number + 0.5), y=canvas.bottom + 15)
    for number, label in enumerate(rows):
        y = canvas.top + HEIGHT * number
        canvas.draw("text", "tick end", text=label, x=canvas.left - 6, y=y + HEIGHT / 2 + 4)
        for place, value in enumerate(values[number]):
            _cell(canvas, canvas.left + width * place, y, width, float(value))
    return canvas.markup()


def _cell(canvas: Canvas, x: float, y: float, width: float, value: float) -> None:
    known = np.isfinite(value)
    opacity = f"{STRONGEST * min(max(value, 0.0), 1.0):.3f}" if known else "0"
    canvas.draw("rect", "cell", x=x, y=y, width=width, height=HEIGHT, fill_opacity=opacity)
    text = f"{100 * value:.1f}" if known else "–"
    canvas.draw("text", "middle", text=text, x=x + width / 2, y=y + HEIGHT / 2 + 4)
