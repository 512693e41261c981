import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lrfr.core.two_samples import fisher_exact, kolmogorov_smirnov, sorted_rows, standard_distance

VALUES = st.lists(st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0, 2.0]), min_size=2, max_size=60)


@pytest.mark.parametrize(("n", "m", "shift"), [(40, 60, 0), (40, 60, 0.5), (300, 200, 0.2), (1000, 1000, 0.05)])
def test_the_p_value_is_nearly_that_of_scipy(n, m, shift):
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=n), rng.normal(shift, size=m)
    assert kolmogorov_smirnov(x, y) == pytest.approx(stats.ks_2samp(x, y).pvalue, rel=0.15, abs=0.01)


@given(VALUES, VALUES)
def test_the_distance_is_scipys_in_standard_deviations_of_the_reference(left, right):
    x, y = np.array(left), np.array(right)
    expected = stats.wasserstein_distance(x, y) / max(x.std(), 0.001)
    assert standard_distance(x, y) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@given(VALUES, VALUES, st.randoms(use_true_random=False))
def test_another_order_gives_the_same_bits(left, right, random):
    mixed, mixed_too = list(left), list(right)
    random.shuffle(mixed)
    random.shuffle(mixed_too)
    for of in (kolmogorov_smirnov, standard_distance):
        assert of(np.array(left), np.array(right)) == of(np.array(mixed), np.array(mixed_too))


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_fishers_test_is_scipys(n, m, data):
    a, b = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    expected = stats.fisher_exact([[a, n - a], [b, m - b]]).pvalue
    assert fisher_exact((a, n), (b, m)) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_equal_samples_are_no_distance_apart():
    x = np.arange(50.0)
    assert standard_distance(x, x) == 0 and kolmogorov_smirnov(x, x) == 1


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=12), st.randoms())
def test_sorted_rows_know_no_order(rows, random):
    mixed = list(rows)
    random.shuffle(mixed)
    assert np.array_equal(sorted_rows(np.array(rows)), sorted_rows(np.array(mixed)))
