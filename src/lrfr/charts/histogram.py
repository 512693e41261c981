"""Bars of counts, with a marked value."""

from itertools import pairwise

import numpy as np
from markupsafe import Markup

from lrfr.charts.axes import Axis, nice_ticks
from lrfr.charts.canvas import TITLE, TOP, Canvas


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
