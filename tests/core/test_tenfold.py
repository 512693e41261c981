import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import KFold

from lrfr.core.tenfold import folds
from lrfr.errors import EmbeddingError, LrfrError


@st.composite
def embedded_pairs(draw):
    rng = np.random.default_rng(draw(st.integers(0, 100_000)))
    count = draw(st.integers(12, 70))
    same = rng.random(count) < 0.5
    same[:2] = True, False
    if draw(st.booleans()):  # few directions: most scores are tied
        left = rng.integers(1, 3, size=(count, 2)).astype(np.float32)
        return left, rng.integers(1, 3, size=(count, 2)).astype(np.float32), same
    left = rng.normal(size=(count, 4)).astype(np.float32)
    return left, (same[:, None] * left + rng.normal(size=(count, 4))).astype(np.float32), same


def cosine(left, right):
    left, right = left.astype(float), right.astype(float)
    return (left * right).sum(1) / np.linalg.norm(left, axis=1) / np.linalg.norm(right, axis=1)


@settings(deadline=None)
@given(embedded_pairs())
def test_each_fold_is_judged_at_the_best_threshold_of_the_others(data):
    left, right, same = data
    score = np.round(cosine(left, right), 9)
    expected = []
    for train, test in KFold(10, shuffle=False).split(score):
        distinct = np.unique(score[train])
        candidates = [-9.0, *((distinct[1:] + distinct[:-1]) / 2), 9.0]
        right_answers = [((score[train] >= threshold) == same[train]).sum() for threshold in candidates]
        best = max(t for t, n in zip(candidates, right_answers, strict=True) if n == max(right_answers))
        expected.append(((score[test] >= best) == same[test]).mean())
    outcome = folds(left, right, same)
    assert outcome.accuracy.tolist() == expected
    figures = outcome.figures(draws=0)
    assert figures["accuracy"] == pytest.approx(np.mean(expected), abs=1e-6)
    assert figures["accuracy_std"] == pytest.approx(np.std(expected), abs=1e-6)
    assert figures["n_pairs"] == len(same)


@settings(deadline=None)
@given(embedded_pairs())
def test_the_grid_is_insightfaces(data):
    left, right, same = data
    one, other = (side / np.linalg.norm(side.astype(float), axis=1, keepdims=True) for side in (left, right))
    distance = np.round(((one - other) ** 2).sum(1), 12)
    grid, expected = np.arange(0, 4, 0.01), []
    for train, test in KFold(10, shuffle=False).split(distance):
        accuracies = [(np.less(distance[train], threshold) == same[train]).mean() for threshold in grid]
        best = grid[np.argmax(accuracies)]
        expected.append((np.less(distance[test], best) == same[test]).mean())
    assert folds(left, right, same, thresholds="grid").accuracy.tolist() == expected


def on_a_circle(degrees):
    return np.column_stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])


def test_a_case_counted_by_hand():
    # four pairs in two folds; the angle between the sides is the dissimilarity
    left = on_a_circle(np.zeros(4))
    right = on_a_circle(np.array([10.0, 50.0, 30.0, 20.0]))
    outcome = folds(left, right, np.array([True, False, True, False]), n_folds=2)
    # fold 1 judged by pairs 2, 3: 30 is genuine, 20 is not: nothing is as good as accepting nothing or both
    # the strictest of the equally good accepts nothing; fold 2 judged by pairs 0, 1: between 10 and 50 degrees
    assert outcome.threshold.tolist() == [np.inf, pytest.approx(np.cos(np.radians([10, 50])).mean())]
    assert outcome.accuracy.tolist() == [0.5, 0.5]
    assert outcome.right.tolist() == [False, True, True, False]


def test_folds_can_be_given_and_need_not_be_in_order():
    rng = np.random.default_rng(0)
    left, same = rng.normal(size=(40, 3)), rng.random(40) < 0.5
    right = left * same[:, None] + rng.normal(size=(40, 3))
    in_order = folds(left, right, same, n_folds=4)
    shuffled = rng.permutation(40)
    given_folds = folds(left[shuffled], right[shuffled], same[shuffled], np.repeat([3, 5, 7, 9], 10)[shuffled])
    assert given_folds.accuracy.tolist() == in_order.accuracy.tolist()
    assert np.array_equal(given_folds.threshold, in_order.threshold)


def test_a_pair_without_a_face_is_answered_different():
    left, right = on_a_circle(np.arange(20.0)), on_a_circle(np.arange(20.0) + np.tile([1.0, 90.0], 10))
    same = np.tile([True, False], 10)
    missing = np.zeros(20, bool)
    missing[:2] = True
    left[0], right[1] = np.nan, 0.0
    for thresholds in ("exact", "grid"):
        outcome = folds(left, right, same, thresholds=thresholds, left_missing=missing, right_missing=missing)
        assert outcome.right.tolist() == [False] + [True] * 19
        assert outcome.figures(draws=0)["accuracy"] == 0.95


def test_a_threshold_below_all_scores_accepts_no_missing_pair():
    # both folds: accepting whatever has a score is best, for the impostor scores highest
    left, right = on_a_circle(np.zeros(10)), on_a_circle(np.tile([80.0, 85, 10, 0, 0], 2))
    same, missing = np.tile([True, True, False, True, False], 2), np.tile([False, False, False, True, True], 2)
    outcome = folds(left, right, same, n_folds=2, left_missing=missing)
    assert outcome.threshold.tolist() == [-np.inf, -np.inf]
    assert outcome.figures(draws=0)["threshold_per_fold"] == [None, None]
    assert outcome.right.tolist() == [True, True, False, False, True] * 2
    # missing genuine pairs are no reason to accept the others
    same, missing = np.tile([True, True, True, False], 2), np.tile([False, True, True, False], 2)
    outcome = folds(left[:8], on_a_circle(np.tile([80.0, 0, 0, 10], 2)), same, n_folds=2, left_missing=missing)
    assert outcome.threshold.tolist() == [np.inf, np.inf]


def test_neighbouring_floats_are_told_apart_and_euclidean_reads_raw_features():
    left, right = np.zeros((4, 1)), np.array([[1.0], [3.0], [1.0], [3.0]])
    outcome = folds(left + 1e-9, right, np.array([True, False, True, False]), n_folds=2, metric="euclidean")
    assert outcome.accuracy.tolist() == [1.0, 1.0]
    assert outcome.threshold == pytest.approx(np.array([-5.0, -5.0]))


def test_intervals_say_what_they_are_over():
    rng = np.random.default_rng(0)
    left, same = rng.normal(size=(600, 8)), np.arange(600) % 2 == 0
    right = left * same[:, None] + rng.normal(size=(600, 8))
    outcome = folds(left, right, same)
    over_pairs, over_people = outcome.figures(), outcome.figures(np.arange(600) // 100)
    assert (over_pairs["interval_over"], over_people["interval_over"]) == ("pairs", "identities")
    low, high = over_pairs["accuracy_interval"]
    assert low < over_pairs["accuracy"] < high < low + 0.08
    assert folds(left, right, same).figures() == over_pairs


def test_folds_of_unequal_size_weigh_alike():
    left, right = on_a_circle(np.zeros(10)), on_a_circle(np.tile([1.0, 90, 90, 90, 1], 2))
    same, fold, twins = np.tile(np.arange(5) == 0, 2), np.tile([0, 0, 0, 0, 1], 2), np.repeat([0, 1], 5)
    figures = folds(left, right, same, fold).figures(twins)
    assert figures["accuracy"] not in (0.0, 1.0)
    assert figures["accuracy_interval"] == [figures["accuracy"]] * 2  # whoever is drawn, the data are the same
    assert folds(left, right, same, fold).figures(np.zeros(10))["accuracy_interval"] is None


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"left": np.ones((19, 2))}, "one of each per pair"),
        ({"left": np.ones((20, 3))}, "widths differ"),
        ({"left": np.zeros((20, 2))}, "zero"),
        ({"left": np.full((20, 2), np.nan)}, "not finite"),
        ({"same": np.ones(20, bool)}, "impostor"),
        ({"same": np.ones(20)}, "neither bool"),
        ({"n_folds": 21}, "do not make"),
        ({"n_folds": 1}, "do not make"),
        ({"fold": np.zeros(20)}, "in one fold"),
        ({"fold": np.zeros(19)}, "one per pair"),
        ({"metric": "euclidean", "thresholds": "grid"}, "normalised"),
        ({"thresholds": "best"}, "unknown thresholds"),
        ({"metric": "dot"}, "unknown metric"),
        ({"left_missing": np.zeros(19, bool)}, "one bool per embedding"),
    ],
)
def test_pairs_that_cannot_be_judged_are_refused(changed, complaint):
    arguments = {"left": np.ones((20, 2)), "right": np.ones((20, 2)), "same": np.arange(20) % 2 == 0}
    with pytest.raises(LrfrError, match=complaint):
        folds(**arguments | changed)
    assert issubclass(EmbeddingError, LrfrError)
