import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from lrfr.core.pair_verification import verification
from lrfr.errors import EmbeddingError, LrfrError

FARS = (0.01, 0.1, 0.25, 0.29, 0.5, 1.0)


@st.composite
def scored_pairs(draw, missing=True):
    """A few to a hundred pairs; with few levels most scores are tied."""
    rng = np.random.default_rng(draw(st.integers(0, 100_000)))
    count, levels = draw(st.integers(2, 100)), draw(st.sampled_from([1, 3, 10, 1000]))
    same = rng.random(count) < draw(st.sampled_from([0.1, 0.5, 0.9]))
    same[:2] = True, False
    score = (rng.integers(levels, size=count) / 7 + same * rng.integers(2)).astype(draw(st.sampled_from("fd")))
    if missing and draw(st.booleans()):
        score[rng.random(count) < 0.2] = -np.inf
    return score, same


def every_threshold(score, same):
    """FAR, TAR and accuracy at each score and above all, counted one threshold at a time."""
    thresholds = [float(value) for value in np.unique(score) if value > -np.inf] + [math.inf]
    rows = []
    for threshold in thresholds:
        accept = score >= threshold
        far, tar = accept[~same].sum() / (~same).sum(), accept[same].sum() / same.sum()
        rows.append((threshold, far, tar, (accept == same).mean()))
    return rows


@settings(deadline=None)
@given(scored_pairs())
def test_tar_is_the_largest_among_all_thresholds_whose_far_is_low_enough(data):
    score, same = data
    outcome = verification(score, same)
    for far in FARS:
        threshold, tar = outcome.operating_point(far)
        allowed = [row for row in every_threshold(score, same) if row[1] <= far]
        assert tar == max(row[2] for row in allowed)
        assert threshold == min(row[0] for row in allowed)


@settings(deadline=None)
@given(scored_pairs())
def test_accuracy_and_eer_are_those_of_a_look_at_every_threshold(data):
    score, same = data
    outcome = verification(score, same)
    rows = every_threshold(score, same)
    assert outcome.accuracy == pytest.approx(max(row[3] for row in rows))
    apart = min(abs(far - (1 - tar)) for _, far, tar, _ in rows)
    nearest = [(far + 1 - tar) / 2 for _, far, tar, _ in rows if abs(abs(far - (1 - tar)) - apart) < 1e-9]
    assert outcome.eer == pytest.approx(max(nearest))


@settings(deadline=None)
@given(scored_pairs())
def test_auc_is_the_share_of_genuine_scores_that_beat_an_impostors(data):
    score, same = data
    genuine, impostor = score[same][:, None], score[~same][None, :]
    wins = (genuine > impostor).mean() + (genuine == impostor).mean() / 2
    assert verification(score, same).auc == pytest.approx(wins)


@settings(deadline=None)
@given(scored_pairs(missing=False))
def test_the_roc_and_its_area_are_those_of_scikit_learn(data):
    score, same = data
    outcome = verification(score, same)
    far, tar, _ = roc_curve(same, score)
    assert np.array_equal(np.column_stack(outcome.roc()), np.column_stack([far, tar]))
    assert outcome.auc == pytest.approx(roc_auc_score(same, score))


@settings(deadline=None)
@given(scored_pairs(missing=False))
def test_nearest_reads_the_roc_as_insightface_does(data):
    score, same = data
    fpr, tpr, thresholds = (np.flipud(column) for column in roc_curve(same, score))
    for far in FARS:
        _, row = min(zip(abs(fpr - far), range(len(fpr)), strict=True))
        assert verification(score, same).operating_point(far, "nearest") == (thresholds[row], tpr[row])


@settings(deadline=None)
@given(scored_pairs(), st.integers(0, 100))
def test_no_figure_depends_on_the_order_of_the_pairs(data, seed):
    score, same = data
    identity = np.arange(len(score)) % 7
    order = np.random.default_rng(seed).permutation(len(score))
    for who in (None, identity):
        one = verification(score, same, who).figures(FARS, draws=3)
        shuffled = None if who is None else who[order]
        assert verification(score[order], same[order], shuffled).figures(FARS, draws=3) == one


def test_a_case_counted_by_hand():
    score = np.array([0.9, 0.8, 0.8, 0.7, 0.6, 0.5, 0.5, 0.1])
    same = np.array([True, True, False, True, False, True, False, False])
    figures = verification(score, same).figures((0.1, 0.25, 0.5), draws=0)
    # the impostor at 0.8 is accepted by the threshold 0.8: at FAR 0.25 the next impostor, 0.6, must stay out
    assert figures["tar"] == {"0.1": None, "0.25": 0.75, "0.5": 0.75}
    assert figures["threshold"] == {"0.1": None, "0.25": 0.7, "0.5": 0.6}
    assert figures["not_resolvable"] == ["FAR 0.1: not resolvable with 4 impostors"]
    assert figures["auc"] == pytest.approx((4 + 3.5 + 3 + 1.5) / 16)
    assert figures["eer"] == 0.25  # at 0.7: one of four on either side
    assert figures["accuracy"] == 0.75
    assert (figures["n_genuine"], figures["n_impostor"], figures["n_missing"]) == (4, 4, 0)


def test_the_nearest_far_may_lie_above_the_one_asked_for():
    score = np.r_[np.linspace(1, 2, 10), 0.95, np.linspace(0, 0.9, 10), 0.5]
    same = np.r_[np.zeros(10, bool), True, np.zeros(10, bool), True]
    outcome = verification(score, same)
    assert outcome.operating_point(0.51, "exact")[1] == 0.5
    assert outcome.operating_point(0.49, "exact")[1] == 0.0
    assert outcome.operating_point(0.49, "nearest")[1] == 0.5


def test_missing_pairs_are_never_accepted_but_counted():
    outcome = verification(np.array([1.0, -np.inf, -np.inf, 0.5]), np.array([True, True, False, False]))
    figures = outcome.figures((0.5, 1.0), draws=0)
    assert figures["tar"] == {"0.5": 0.5, "1": 0.5}
    assert figures["threshold"]["1"] == 0.5
    assert figures["n_missing"] == 2
    nothing = verification(np.array([-np.inf, -np.inf]), np.array([True, False])).figures((1.0,), draws=5)
    assert (nothing["tar"], nothing["threshold"]) == ({"1": 0.0}, {"1": None})


def test_where_the_highest_score_is_an_impostors_nothing_is_accepted():
    same = np.array([True, False, False, True])
    loose = verification(np.array([0.9, 0.9, 0.1, 0.2]), same).figures((0.5,), draws=0)
    assert loose["tar"]["0.5"] == 1.0  # one of two impostors may pass
    strict = verification(np.array([0.9, 0.9, 0.9, 0.2]), same).figures((0.5,), draws=0)
    assert (strict["tar"]["0.5"], strict["threshold"]["0.5"]) == (0.0, None)


def test_separable_scores_have_no_error():
    figures = verification(np.r_[np.ones(50), np.zeros(50)], np.arange(100) < 50).figures((0.1,), draws=20)
    assert (figures["auc"], figures["eer"], figures["accuracy"], figures["tar"]["0.1"]) == (1.0, 0.0, 1.0, 1.0)
    assert figures["tar_interval"]["0.1"] == [1.0, 1.0]


def test_gaussian_scores_meet_their_closed_forms():
    rng = np.random.default_rng(0)
    score = np.r_[rng.normal(2, 1, 200_000), rng.normal(0, 1, 200_000)]
    outcome = verification(score, np.arange(400_000) < 200_000)
    normal = lambda x: math.erfc(-x / math.sqrt(2)) / 2  # noqa: E731
    assert outcome.auc == pytest.approx(normal(2 / math.sqrt(2)), abs=2e-3)
    assert outcome.eer == pytest.approx(normal(-1), abs=2e-3)
    assert outcome.accuracy == pytest.approx(normal(1), abs=2e-3)
    assert outcome.operating_point(1e-3)[1] == pytest.approx(normal(2 - 3.0902), abs=5e-3)


def test_intervals_over_pairs_have_the_width_of_a_binomial():
    rng = np.random.default_rng(1)
    score, same = np.r_[rng.normal(2, 1, 2000), rng.normal(0, 1, 50_000)], np.arange(52_000) < 2000
    figures = verification(score, same).figures((0.1,), seed=3)
    assert figures["interval_over"] == "pairs"
    low, high = figures["tar_interval"]["0.1"]
    tar = figures["tar"]["0.1"]
    assert low < tar < high
    expected = 2 * 1.96 * math.sqrt(tar * (1 - tar) / 2000)
    assert expected * 0.9 < high - low < expected * 1.4  # the threshold varies too
    for name in ("auc", "eer", "accuracy"):
        low, high = figures[f"{name}_interval"]
        assert low < figures[name] < high
    assert figures == verification(score, same).figures((0.1,), seed=3)


def test_intervals_over_identities_draw_people_not_pairs():
    # half of the people are always recognised, half never: who is drawn decides
    identity = np.repeat(np.arange(20), 100)
    same = np.tile(np.arange(100) < 50, 20)
    score = np.where(same, (identity % 2).astype(float), -1.0)
    score[same] -= np.where(identity[same] % 2 == 0, 3, 0)
    figures = verification(score, same, identity).figures((0.1,))
    assert figures["interval_over"] == "identities"
    low, high = figures["tar_interval"]["0.1"]
    assert low == pytest.approx(0.3, abs=0.051)
    assert high == pytest.approx(0.7, abs=0.051)
    narrow = verification(score, same).figures((0.1,))["tar_interval"]["0.1"]
    assert narrow[1] - narrow[0] < 0.1


def test_a_single_identity_says_nothing_about_others():
    outcome = verification(np.array([0.9, 0.1]), np.array([True, False]), np.array([3, 3]))
    assert outcome.figures((1.0,))["auc_interval"] is None


@settings(deadline=None, max_examples=50)
@given(scored_pairs(), st.sampled_from(["exact", "nearest"]))
def test_a_draw_is_the_figure_of_the_pairs_drawn(data, method):
    """Draws one by one, pairs repeated as often as their identity was drawn, give the same interval."""
    score, same = data
    identity = np.arange(len(score)) % 5
    people = len(np.unique(identity))
    figures = verification(score, same, identity).figures((0.25,), method, draws=40, seed=5)
    if figures["not_resolvable"]:
        assert figures["tar_interval"] == {"0.25": None}
        return
    values = []
    for drawn in np.random.default_rng(5).integers(people, size=(40, people)):
        rows = np.concatenate([np.flatnonzero(identity == person) for person in drawn])
        if same[rows].all() or not same[rows].any():
            continue
        one = verification(score[rows], same[rows])
        values.append((one.auc, one.accuracy, one.operating_point(0.25)[1] if method == "exact" else 0))
    if not values:
        assert figures["auc_interval"] is None
        return
    ends = np.quantile(values, [0.025, 0.975], axis=0)
    assert figures["auc_interval"] == pytest.approx(ends[:, 0], abs=2e-6)
    assert figures["accuracy_interval"] == pytest.approx(ends[:, 1], abs=2e-6)
    if method == "exact":
        assert figures["tar_interval"]["0.25"] == pytest.approx(ends[:, 2], abs=2e-6)


def test_many_scores_are_drawn_from_a_grid_that_keeps_the_figures():
    rng = np.random.default_rng(2)
    same = rng.random(60_000) < 0.1
    score = rng.normal(size=60_000) + 2 * same
    twins = np.repeat([0, 1], 60_000)
    one = verification(np.tile(score, 2), np.tile(same, 2), twins).figures((0.001, 0.1), draws=3)
    # whoever is drawn, the data are the same
    for key in ("0.001", "0.1"):
        assert one["tar_interval"][key] == [one["tar"][key]] * 2
    assert one["auc_interval"] == pytest.approx([one["auc"]] * 2, abs=5e-5)
    assert one["eer_interval"] == pytest.approx([one["eer"]] * 2, abs=1e-3)
    assert one["accuracy_interval"] == pytest.approx([one["accuracy"]] * 2, abs=1e-3)


@pytest.mark.parametrize(
    ("score", "same", "complaint"),
    [
        ([0.1, np.nan], [True, False], "NaN"),
        ([0.1, np.inf], [True, False], "infinity"),
        ([0.1, 0.2, 0.3], [True, False], "differ"),
        ([[0.1, 0.2]], [[True, False]], "differ"),
        ([0.1, 0.2], [2, 0], "neither bool nor whole numbers 0 and 1"),
        ([0.1, 0.2], [1, -1], "neither bool"),
        ([0.1, 0.2], [1.0, 0.0], "neither bool"),
        ([0.1, 0.2], [True, True], "impostor"),
        ([0.1, 0.2], [False, False], "genuine"),
    ],
)
def test_scores_that_cannot_be_read_are_refused(score, same, complaint):
    with pytest.raises(EmbeddingError, match=complaint):
        verification(np.array(score), np.array(same))


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_genuine_pairs_may_be_marked_by_0_and_1(dtype):
    score, same = np.array([3.0, 2.0, 2.0, 1.0]), np.array([True, False, True, False])
    assert verification(score, same.astype(dtype)).figures() == verification(score, same).figures()


def test_impossible_questions_are_refused():
    outcome = verification(np.array([0.1, 0.2]), np.array([True, False]))
    for far in (-0.1, 1.5, np.nan):
        with pytest.raises(EmbeddingError, match="not within 0 and 1"):
            outcome.figures((far,))
    with pytest.raises(LrfrError, match="closest"):
        outcome.figures((1.0,), method="closest")
    with pytest.raises(EmbeddingError, match="one per pair"):
        verification(np.array([0.1, 0.2]), np.array([True, False]), np.array([1]))
