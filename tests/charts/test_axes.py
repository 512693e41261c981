from statistics import NormalDist

import numpy as np
import pytest

from lrfr.charts.axes import Axis, decade_axis, nice_ticks, probit_axis


@pytest.mark.parametrize("axis", [Axis(2, 8, [], "x"), decade_axis(1e-3, 1, "x"), probit_axis(0.01, 0.9, "x")])
def test_the_ends_of_a_scale_lie_at_the_ends_of_the_axis_and_values_beyond_are_clipped(axis):
    places = axis.place(np.array([axis.low, axis.high, axis.low / 2, axis.high + 1]), 10, 110)
    assert places.tolist() == pytest.approx([10, 110, 10, 110])


def test_a_decade_is_as_wide_as_the_next():
    axis = decade_axis(1e-4, 1, "FAR")
    assert np.diff(axis.place(np.array([1e-4, 1e-3, 1e-2, 1e-1, 1]), 0, 400)) == pytest.approx([100] * 4)
    assert [text for _, text in axis.ticks] == ["0.0001", "0.001", "0.01", "0.1", "1"]


def test_normally_distributed_scores_give_a_straight_det_curve():
    thresholds = np.linspace(-1, 3, 9)
    false_alarms = np.array([1 - NormalDist(0).cdf(t) for t in thresholds])
    misses = np.array([NormalDist(2).cdf(t) for t in thresholds])
    x = probit_axis(1e-4, 0.999, "FAR").place(false_alarms, 0, 100)
    y = probit_axis(1e-4, 0.999, "FNMR").place(misses, 0, 100)
    assert np.diff(y) / np.diff(x) == pytest.approx([-1] * 8)
    assert probit_axis(0.001, 0.5, "FAR").ticks[0] == (1e-3, "0.1 %")


@pytest.mark.parametrize(("low", "high"), [(0, 1), (20, 112), (0, 3e6), (0.2, 0.21), (0, 0)])
def test_ticks_are_few_and_inside(low, high):
    values = [value for value, _ in nice_ticks(low, high)]
    assert 1 <= len(values) <= 6
    assert all(low - 1e-9 <= value <= max(high, low + 1) + 1e-9 for value in values)
