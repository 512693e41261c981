"""FPIRs of galleries of any size: against every gallery that there is, and against galleries that were drawn."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrfr.core.open_set_calibration import (
    alike,
    extended,
    mistaken,
    non_mated,
    rates,
    reduced,
    sizes,
    thresholds,
)  # fmt: skip
from lrfr.errors import EmbeddingError


def naive_fpir(scores, size, threshold):
    """The mean, over all galleries of ``size`` of the people, of the share of strangers who are mistaken."""
    shares = [(scores[:, list(who)].max(1) >= threshold).mean() for who in combinations(range(scores.shape[1]), size)]
    return np.mean(shares)


def strangers(seed, count=40, people=7):
    """Scores of strangers some of whom resemble everybody more than others do."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, people)) + rng.normal(size=(count, 1))


@given(st.integers(0, 10**6), st.integers(1, 7), st.floats(-2, 3))
def test_the_fpir_is_that_of_every_gallery_of_this_size(seed, size, threshold):
    scores = np.sort(strangers(seed), axis=1)
    found = mistaken(size, 7)[alike(scores, np.array([threshold]))].mean()
    assert found == pytest.approx(naive_fpir(scores, size, threshold), abs=1e-12)


@given(st.integers(0, 10**6), st.integers(1, 7))
def test_a_threshold_is_the_lowest_that_keeps_the_fpir(seed, size):
    scores = strangers(seed)
    wanted = rates(len(scores))
    for rate, threshold in zip(wanted, thresholds(scores, [size], wanted)[0], strict=True):
        assert naive_fpir(scores, size, threshold) <= rate * (1 + 1e-9)
        lower = scores[scores < threshold].max(initial=-np.inf)
        assert naive_fpir(scores, size, lower) > rate


def test_of_a_larger_gallery_the_rule_gives_no_less_than_there_is():
    """Strangers are not alike, so that the rule errs to the side of caution; without differences it is exact."""
    rng = np.random.default_rng(0)
    for differ in (0.0, 1.0):
        scores = np.sort(rng.normal(size=(4000, 200)) + differ * rng.normal(size=(4000, 1)), axis=1)
        at = np.quantile(scores[:, -1], 0.9)
        truth = (scores[:, -1] >= at).mean()
        small = mistaken(20, 200)[alike(scores, np.array([at]))].mean()
        predicted = extended(small, 20, 200)
        assert predicted > 1.5 * truth if differ else predicted == pytest.approx(truth, abs=0.015)


@given(st.floats(1e-6, 0.5), st.integers(1, 10**4), st.integers(1, 10**4))
def test_the_rule_is_undone_by_itself(rate, people, more):
    size = people + more
    assert reduced(extended(rate, people, size), people, size) == pytest.approx(rate, rel=1e-6) or extended(
        rate, people, size
    ) == pytest.approx(1)
    assert extended(rate, people, people) == pytest.approx(rate)


def test_the_rule_of_single_comparisons_is_the_textbooks():
    assert extended(0.001, 1, 500) == pytest.approx(1 - (1 - 0.001) ** 500)


def test_a_probe_is_no_stranger_to_itself():
    scores = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(
        non_mated(scores, np.array([5, 9, 5]), np.array([9, 5, 7, 8])), [[0, 2, 3], [5, 6, 7], [8, 10, 11]]
    )
    with pytest.raises(EmbeddingError, match="not enrolled exactly once"):
        non_mated(scores, np.array([5, 9, 1]), np.array([9, 5, 7, 8]))


def test_steps_reach_from_one_to_all():
    assert sizes(1) == [1] and sizes(2) == [1, 2] and sizes(16) == [1, 2, 3, 5, 7, 10, 15, 16]
    assert rates(10) == [0.1, 0.2, 0.3, 0.5] and rates(8)[0] == 0.125 and rates(8)[1] == 0.2


@pytest.mark.parametrize("scores", [np.empty((0, 3)), np.array([[1.0, np.nan]])])
def test_scores_that_say_nothing_are_refused(scores):
    with pytest.raises(EmbeddingError, match="no finite score"):
        thresholds(scores, [1], [0.5])
