"""The points of a curve that every run has, as charts take them."""

from collections.abc import Mapping

import numpy as np

from lrfr.charts.curves import Points
from lrfr.report.results import Curve


def points(curves: Mapping[str, Curve], x: str, y: str) -> dict[str, Points]:
    """Two columns of each run's curve, without the points that have no value."""
    found = {}
    for run, curve in curves.items():
        if x in curve and y in curve:
            known = np.isfinite(curve[x]) & np.isfinite(curve[y])
            if known.any():
                found[run] = curve[x][known], curve[y][known]
    return found
