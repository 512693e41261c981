import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrfr.core.curve_points import RATES, at_rates, tar_at_rates
from lrfr.core.pair_verification import verification


@given(st.integers(0, 1000))
def test_a_stepped_curve_is_read_without_interpolation(seed):
    rng = np.random.default_rng(seed)
    mate, stranger = rng.integers(0, 8, 20), rng.integers(0, 8, 30)
    thresholds = np.unique(np.r_[mate, stranger, 9])
    rate, value = (np.array([np.mean(scores >= t) for t in thresholds]) for scores in (stranger, mate))
    read = at_rates(rate, value, trials=30)
    for number in range(0, len(RATES), 5):
        if RATES[number] < 1 / 30:
            assert np.isnan(read[number])
        else:
            assert read[number] == max(v for r, v in zip(rate, value, strict=True) if r <= RATES[number])


@given(st.integers(0, 1000))
def test_the_roc_has_the_figures_of_the_table(seed):
    rng = np.random.default_rng(seed)
    verified = verification(rng.integers(0, 9, 300).astype(float), np.arange(300) < 100)
    curve = dict(zip(RATES.tolist(), tar_at_rates(verified), strict=True))
    figures = verified.figures((0.1, 0.01, 0.001), draws=0)
    assert curve[0.1] == pytest.approx(figures["tar"]["0.1"], abs=1e-6)
    assert curve[0.01] == pytest.approx(figures["tar"]["0.01"], abs=1e-6)
    assert np.isnan(curve[0.001]) and figures["tar"]["0.001"] is None


def test_a_decade_is_the_rate_that_a_user_types():
    # one of 100,000 impostors scores higher than the only genuine pair
    verified = verification(np.r_[np.arange(100_000.0), 99_998.5], np.arange(100_001) == 100_000)
    curve = dict(zip(RATES.tolist(), tar_at_rates(verified), strict=True))
    assert curve[1e-5] == verified.figures((1e-5,), draws=0)["tar"]["1e-05"] == 1
