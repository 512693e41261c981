from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrfr.core.significance import better
from lrfr.errors import EmbeddingError


@given(st.integers(0, 10_000))
def test_p_is_the_share_of_all_sign_patterns_that_are_as_extreme(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 2, size=(2, 15))
    identity = rng.integers(6, size=15)
    sums = [(a - b)[identity == who].sum() for who in range(6)]
    totals = [abs(np.dot(signs, sums)) for signs in product((1, -1), repeat=6)]
    comparison = better(a, b, identity)
    assert comparison.p_value == pytest.approx(np.mean([total >= abs(sum(sums)) for total in totals]))
    assert comparison.difference == pytest.approx(a.mean() - b.mean())


def test_drawn_patterns_agree_with_all_of_them():
    rng = np.random.default_rng(0)
    a, b, identity = rng.random(60), rng.random(60) + 0.1, np.arange(60) % 12
    exact, sampled = better(a, b, identity, draws=4096), better(a, b, identity, draws=4095)
    assert exact.p_value * 4096 == int(exact.p_value * 4096)
    assert sampled.p_value == pytest.approx(exact.p_value, abs=0.03)
    assert sampled.p_value * 4096 == pytest.approx(round(sampled.p_value * 4096))  # (b + 1) / (draws + 1)


def test_all_people_better_is_the_closed_form():
    # ten people, each a little better under A: only two of the 2 ** 10 patterns are as extreme
    comparison = better(np.ones(10), np.zeros(10), np.arange(10))
    assert comparison.p_value == 2 / 2**10
    assert (comparison.difference, comparison.interval) == (1.0, (1.0, 1.0))


def test_the_images_of_one_person_are_one_observation():
    a, b = np.ones(100), np.zeros(100)
    assert better(a, b, np.arange(100)).p_value == 1 / 10_001  # of 10,000 drawn patterns none is as extreme
    assert better(a, b, np.arange(100) // 50).p_value == 0.5  # two people: (+ +) and (- -) of four patterns
    alone = better(a, b, np.zeros(100, int))
    assert (alone.p_value, alone.interval) == (1.0, None)


def test_equal_methods_and_swapped_ones():
    rng = np.random.default_rng(0)
    a, b, identity = rng.random(300), rng.random(300), np.arange(300) // 3
    same = better(a, a, identity)
    assert (same.p_value, same.difference, same.interval) == (1.0, 0.0, (0.0, 0.0))
    one, other = better(a, b, identity), better(b, a, identity)
    assert one.p_value == other.p_value and one.difference == -other.difference
    assert one.interval[0] <= one.difference <= one.interval[1]
    assert one.figures().keys() == {"difference", "difference_interval", "p_value"}
    assert "-0.0" not in repr(better(b, b + 1e-9, identity).figures().values())


@pytest.mark.parametrize(
    ("a", "b", "identity", "complaint"),
    [
        ([1, 0], [1], [0, 1], "shapes"),
        ([1, 0], [1, 0], [0], "shapes"),
        ([], [], [], "shapes"),
        ([[1]], [[1]], [[0]], "shapes"),
        ([1, np.nan], [1, 0], [0, 1], "probe row 1"),
    ],
)
def test_values_that_cannot_be_compared_are_refused(a, b, identity, complaint):
    with pytest.raises(EmbeddingError, match=complaint):
        better(a, b, identity)
