"""Rival qualities against naive recomputations of their papers' formulas."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrfr.core.qualities import detector, ers, norm, serfiq, size

RNG = np.random.default_rng(0)


def test_the_norm_is_the_embeddings_length():
    embedding = RNG.normal(size=(4, 3))
    assert norm.quality(embedding).tolist() == pytest.approx([math.hypot(*row) for row in embedding])


def test_ers_is_the_distance_from_the_mean_direction_of_unrecognizable_faces():
    faces, nobody = RNG.normal(size=(5, 6)), 9 * RNG.normal(size=(7, 6))
    mean = sum(row / math.hypot(*row) for row in nobody) / 7
    found = ers.center(nobody)
    assert found.tolist() == pytest.approx(mean.tolist())
    expected = [1 - float(row @ mean) / (math.hypot(*row) * math.hypot(*mean)) for row in faces]
    assert ers.quality(faces, found).tolist() == pytest.approx(expected)
    assert ers.quality(np.zeros((1, 6)), found).tolist() == [0]


@given(st.integers(0, 10_000), st.integers(2, 6))
def test_serfiq_is_equation_1(seed, passes):
    rng = np.random.default_rng(seed)
    stochastic = rng.normal(size=(3, passes, 4))
    stochastic /= np.linalg.norm(stochastic, axis=2, keepdims=True)
    for image, found in zip(stochastic, serfiq.quality(stochastic), strict=True):
        pairs = [math.dist(image[i], image[j]) for i in range(passes) for j in range(i + 1, passes)]
        assert found == pytest.approx(2 / (1 + math.exp(2 / passes**2 * sum(pairs))), abs=1e-6)


def test_serfiq_of_embeddings_that_agree_is_one_and_falls_as_they_differ():
    same = np.tile([1.0, 0.0], (1, 5, 1))
    apart = same.copy()
    apart[0, ::2] = [0.0, 1.0]
    assert serfiq.quality(same)[0] == pytest.approx(1)
    assert serfiq.quality(apart)[0] < 0.8


def test_size_is_the_shorter_side_and_a_detector_that_saw_not_all_says_nothing():
    assert size.quality(np.array([9, 20]), np.array([12, 8])).tolist() == [9, 8]
    assert detector.quality(np.array([0.5, 0.9])).tolist() == [0.5, 0.9]
    assert detector.quality(np.array([0.5, np.nan])) is None
