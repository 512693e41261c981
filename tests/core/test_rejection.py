import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfr.core.pair_verification import verification
from lrfr.core.rejection import reject
from lrfr.errors import EmbeddingError, LrfrError


@st.composite
def pairs_of_quality(draw):
    rng = np.random.default_rng(draw(st.integers(0, 100_000)))
    count, levels = draw(st.integers(2, 120)), draw(st.sampled_from([1, 4, 20, 10_000]))
    same = rng.random(count) < 0.5
    same[:2] = True, False
    score = rng.integers(levels, size=count) / levels + same * 0.3
    return score, same, rng.integers(levels, size=count) / 3, rng.integers(levels, size=count) / 3


def step_by_step(score, same, quality_left, quality_right, fmr, variant):
    """The FNMR at each hundredth, group of equal quality after group, threshold after threshold."""
    quality, curve = np.minimum(quality_left, quality_right), []
    thresholds = [*np.unique(score), np.inf]
    for percent in range(96):
        kept = np.ones(len(score), bool)
        for level in np.unique(quality):
            if (quality <= level).sum() * 100 <= percent * len(score):
                kept = quality > level
        judged = same == same if variant == "fixed" else kept
        impostor = score[judged & ~same]
        if not len(impostor) or fmr < 1 / len(impostor) or not (kept & same).any():
            curve.append(None)
            continue
        threshold = min(t for t in thresholds if (impostor >= t).mean() <= fmr and (t in score[judged] or t == np.inf))
        curve.append((score[kept & same] < threshold).mean())
    return curve


@settings(deadline=None, max_examples=60)
@given(pairs_of_quality(), st.sampled_from([0.02, 0.1, 0.5]), st.sampled_from(["fixed", "reestimated"]))
def test_the_curve_is_that_of_a_walk_through_the_groups(data, fmr, variant):
    figures = reject(*data, fmr, variant).figures(draws=0)
    expected = step_by_step(*data, fmr, variant)
    nan = [[np.nan if value is None else value for value in curve] for curve in (figures["fnmr"], expected)]
    assert nan[0] == pytest.approx(nan[1], abs=1e-6, nan_ok=True)
    for name, points in (("pauc20", 21), ("pauc95", 96)):
        if None in expected[:points]:
            assert figures[name] is None
        else:
            halves = (expected[0] + expected[points - 1]) / 2
            assert figures[name] == pytest.approx((sum(expected[1 : points - 1]) + halves) / 100, abs=1e-6)


@settings(deadline=None)
@given(pairs_of_quality(), st.integers(0, 100))
def test_no_figure_depends_on_the_order_of_the_pairs(data, seed):
    order = np.random.default_rng(seed).permutation(len(data[0]))
    identity = np.arange(len(order)) % 6
    for variant in ("fixed", "reestimated"):
        one = reject(*data, 0.1, variant, identity).figures(draws=4)
        shuffled = reject(*(column[order] for column in data), 0.1, variant, identity[order]).figures(draws=4)
        assert shuffled == one


def test_a_case_counted_by_hand():
    # ten pairs: the worst three go one by one, then four of equal quality at once; the last three never fit
    same = np.array([True] * 5 + [False] * 5)
    score = np.array([0.1, 0.9, 0.8, 0.7, 0.3, 0.6, 0.5, 0.2, 0.2, 0.1])
    quality, best = np.array([1.0, 9, 9, 9, 2, 3, 8, 8, 8, 8]), np.full(10, 99.0)
    fixed, again = (reject(score, same, quality, best, 0.2, variant) for variant in ("fixed", "reestimated"))
    # one of five impostors may pass, the one at 0.6: the threshold is 0.6, and 0.1 and 0.3 are missed
    assert fixed.figures(draws=0)["threshold"] == 0.6
    assert fixed.fnmr[[0, 9, 10, 19, 20, 95]].tolist() == [0.4, 0.4, 0.25, 0.25, 0, 0]
    assert fixed.rejected[[9, 10, 29, 30, 69, 70, 95]].tolist() == [0, 0.1, 0.2, 0.3, 0.3, 0.7, 0.7]
    # from 30 % on four impostors are left, too few for an FMR of 0.2
    figures = again.figures(draws=9)
    assert np.isnan(again.fnmr).tolist() == [False] * 30 + [True] * 66
    assert figures["not_resolvable"] == ["FMR 0.2: not resolvable with 4 impostors from the ratio 0.3 on"]
    assert figures["pauc20"] == fixed.figures()["pauc20"] == pytest.approx((0.4 / 2 + 9 * 0.4 + 10 * 0.25) / 100)
    assert (figures["pauc95"], figures["pauc95_interval"]) == (None, None)


def test_a_perfect_quality_empties_the_curve_and_a_constant_one_leaves_it():
    rng = np.random.default_rng(0)
    same = np.arange(4000) < 2000
    score = rng.normal(size=4000) + 3 * same
    wrong_first = np.where(same, score, 9.0)
    perfect = reject(score, same, wrong_first, wrong_first, 0.01)
    assert perfect.fnmr[0] == pytest.approx(1 - verification(score, same).operating_point(0.01)[1])
    assert (np.diff(perfect.fnmr[:45]) <= 0).all()
    assert perfect.fnmr[45] == 0
    flat = reject(score, same, np.zeros(4000), np.zeros(4000), 0.01)
    assert (flat.fnmr == flat.fnmr[0]).all()
    assert (flat.rejected == 0).all()
    assert flat.area(0.2) == pytest.approx(0.2 * flat.fnmr[0])
    assert flat.area(0.95) == pytest.approx(0.95 * flat.fnmr[0])


def test_the_lower_quality_of_the_two_counts():
    score, same = np.array([0.9, 0.1, 0.2, 0.8]), np.array([True, True, False, False])
    left, right = np.array([5.0, 1.0, 5.0, 5.0]), np.array([5.0, 5.0, 5.0, 5.0])
    for one, other in ((left, right), (right, left)):
        outcome = reject(score, same, one, other, 0.5)
        assert outcome.fnmr[[0, 24, 25]].tolist() == [0.5, 0.5, 0.0]


def test_an_fmr_below_one_impostor_gives_null():
    figures = reject(np.arange(4.0), np.array([True, True, False, False]), np.ones(4), np.ones(4), 1e-3).figures()
    assert figures["not_resolvable"] == ["FMR 0.001: not resolvable with 2 impostors"]
    assert set(figures["fnmr"]) == {None}
    assert (figures["pauc20"], figures["threshold"], figures["pauc20_interval"]) == (None, None, None)


def test_where_the_highest_score_is_an_impostors_every_genuine_pair_is_missed():
    figures = reject(np.array([0.1, 0.9, 0.9]), np.array([True, False, False]), np.ones(3), np.ones(3), 0.5).figures(0)
    assert (figures["fnmr"][0], figures["threshold"]) == (1.0, None)


def test_missing_faces_are_missed_and_rejected_first():
    score, same = np.array([-np.inf, 0.9, 0.1, 0.2]), np.array([True, True, False, False])
    quality = np.array([-np.inf, 1.0, 2.0, 3.0])
    assert reject(score, same, quality, quality, 0.5).fnmr[[0, 24, 25]].tolist() == [0.5, 0.5, 0.0]


def test_intervals_draw_identities_or_pairs():
    rng = np.random.default_rng(0)
    same = np.arange(4000) < 1000
    score = rng.normal(size=4000) + 2 * same
    quality = score * same + rng.normal(size=4000)
    over_pairs = reject(score, same, quality, quality, 0.01).figures()
    over_people = reject(score, same, quality, quality, 0.01, identity=np.arange(4000) // 100).figures()
    assert (over_pairs["interval_over"], over_people["interval_over"]) == ("pairs", "identities")
    for figures in (over_pairs, over_people):
        for name in ("pauc20", "pauc95"):
            low, high = figures[f"{name}_interval"]
            assert low < figures[name] < high
    assert over_pairs == reject(score, same, quality, quality, 0.01).figures()
    one_person = reject(score, same, quality, quality, 0.01, identity=np.zeros(4000)).figures()
    assert one_person["pauc20_interval"] is None


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"score": np.array([0.1, np.nan, 0.2])}, "NaN"),
        ({"quality_left": np.array([1.0, np.nan, 1.0])}, "(?s)quality_left.*row 1"),
        ({"quality_right": np.ones(2)}, "differ"),
        ({"quality_right": np.array(["a", "b", "c"])}, "quality_right holds <U1, not numbers"),
        ({"same": np.ones(3, bool)}, "impostor"),
        ({"fmr": 2.0}, "not within 0 and 1"),
        ({"variant": "both"}, "unknown variant"),
        ({"identity": np.zeros(2)}, "one per pair"),
    ],
)
def test_pairs_that_cannot_be_rejected_are_refused(changed, complaint):
    arguments = {"score": np.arange(3.0), "same": np.array([True, False, False])}
    arguments |= {"quality_left": np.ones(3), "quality_right": np.ones(3)}
    with pytest.raises(LrfrError, match=complaint):
        reject(**arguments | changed)
    assert issubclass(EmbeddingError, LrfrError)


def test_images_are_rejected_with_all_their_pairs():
    rng = np.random.default_rng(4)
    images = rng.random(50)
    left, right = rng.integers(50, size=(2, 800))
    score, same = rng.normal(size=800), rng.random(800) < 0.4
    found = reject(score, same, images[left], images[right], 0.01, images=images)
    for step in (0, 10, 40, 80):
        gone = set(np.argsort(images)[: step * 50 // 100].tolist())
        kept = np.array([a not in gone and b not in gone for a, b in zip(left, right, strict=True)])
        assert found.rejected[step] == pytest.approx(1 - kept.mean())
        assert found.fnmr[step] == pytest.approx((score[kept & same] < found.threshold[0]).mean())


@pytest.mark.parametrize("by_image", [False, True])
def test_a_perfect_quality_rejects_the_misses_first_and_a_random_one_none_in_particular(by_image):
    """Of pairs of distinct images, where each image is in one pair alone; the FNMR of a perfect quality falls to 0 once
    as many pairs went as are missed, as (F - r) / (G - r); that of a random one stays."""
    rng = np.random.default_rng(1)
    same = np.repeat([True, False], [8000, 2000])
    score = np.where(same, rng.normal(2, 1, 10_000), rng.normal(0, 1, 10_000))
    plain = reject(score, same, score, score, 0.001)
    missed = same & (score < plain.threshold[0])
    perfect = np.where(missed, rng.random(10_000), 1 + rng.random(10_000))
    images = np.concatenate([perfect, perfect]) if by_image else None
    curve = reject(score, same, perfect, perfect, 0.001, images=images).fnmr
    fnmr, share = missed.sum() / 8000, missed.mean()
    for step in (0, 5, 10, 20):
        gone = min(step / 100, share) * 10_000
        assert curve[step] == pytest.approx((missed.sum() - gone) / (8000 - gone), abs=2e-3)
    assert curve[math.ceil(100 * share) + 1] == 0
    drawn = rng.random(10_000)
    images = np.concatenate([drawn, drawn]) if by_image else None
    flat = reject(score, same, drawn, drawn, 0.001, images=images).fnmr
    assert np.abs(flat[:80] - fnmr).max() < 0.06
