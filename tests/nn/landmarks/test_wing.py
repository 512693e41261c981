import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lrfr.nn.landmarks.wing import wing_loss


def naive(x, w, epsilon):
    size = abs(x)
    return w * math.log(1 + size / epsilon) if size < w else size - (w - w * math.log(1 + w / epsilon))


@given(
    st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=1, max_size=12),
    st.floats(0.5, 20),
    st.floats(0.1, 5),
)
def test_it_is_the_mean_of_equation_5(pairs, w, epsilon):
    pred, target = torch.tensor(pairs, dtype=torch.float64).T
    expected = sum(naive(p - t, w, epsilon) for p, t in pairs) / len(pairs)
    assert wing_loss(pred, target, w, epsilon).item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(st.floats(0.5, 20), st.floats(0.1, 5))
def test_the_two_pieces_meet_where_they_change(w, epsilon):
    below, above = (wing_loss(torch.tensor([w + side], dtype=torch.float64), torch.zeros(1), w, epsilon).item()
                    for side in (-1e-9, 1e-9))  # fmt: skip
    assert above - below == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize(("error", "slope"), [(0.5, 4), (-3.0, -2), (9.9, 10 / 11.9), (40.0, 1), (-12.0, -1)])
def test_the_slope_is_steep_for_small_errors_and_1_for_large_ones(error, slope):
    pred = torch.tensor([error], dtype=torch.float64, requires_grad=True)
    wing_loss(pred, torch.zeros(1)).backward()
    assert pred.grad.item() == pytest.approx(slope)
