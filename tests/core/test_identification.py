import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrfr.core import tinyface
from lrfr.core.bootstrap import interval
from lrfr.core.identification import UNKNOWN, closed_set
from lrfr.errors import EmbeddingError


def walk_the_list(scores, mates):
    """Rank, AP and the official AP, by walking down the ranked list, non-mates first where scores are equal."""
    order = sorted(range(len(scores)), key=lambda row: (-scores[row], mates[row]))
    found, best, average, official = 0, None, 0.0, 0.0
    old_recall, old_precision = 0.0, 1.0
    for place, row in enumerate(order, start=1):
        if mates[row]:
            found += 1
            best = best or place
            average += found / place / sum(mates)
        recall, precision = found / sum(mates), found / place
        official += (recall - old_recall) * (old_precision + precision) / 2
        old_recall, old_precision = recall, precision
    return best, average, official


@st.composite
def tied_data(draw):
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    probes, people, extra = draw(st.integers(1, 4)), draw(st.integers(1, 4)), draw(st.integers(0, 8))
    gallery_identity = np.concatenate([np.arange(people), rng.integers(UNKNOWN, people, size=extra)])
    # few distinct directions: most scores are tied
    gallery = rng.integers(-1, 2, size=(len(gallery_identity), 2)).astype(np.float32)
    probe = rng.integers(-1, 2, size=(probes, 2)).astype(np.float32)
    gallery[~gallery.any(1)], probe[~probe.any(1)] = 1, 1
    return probe, rng.integers(people, size=probes), gallery, gallery_identity


@given(tied_data())
def test_ranks_and_both_precisions_are_those_of_a_walk_down_the_list(data):
    probe, probe_identity, gallery, gallery_identity = data
    outcome = closed_set(probe, probe_identity, gallery, gallery_identity)
    for row, vector in enumerate(probe):
        cosine = gallery @ vector / np.linalg.norm(gallery, axis=1) / np.linalg.norm(vector)
        mates = (gallery_identity == probe_identity[row]).tolist()
        rank, average, official = walk_the_list(np.round(cosine.astype(float), 5).tolist(), mates)
        assert outcome.rank[row] == rank
        assert outcome.average_precision[row] == pytest.approx(average)
        assert outcome.average_precision_official[row] == pytest.approx(official)


@given(tied_data(), st.integers(0, 100))
def test_no_figure_depends_on_the_order_of_the_gallery(data, seed):
    probe, probe_identity, gallery, gallery_identity = data
    order = np.random.default_rng(seed).permutation(len(gallery))
    one = closed_set(probe, probe_identity, gallery, gallery_identity)
    other = closed_set(probe, probe_identity, gallery[order], gallery_identity[order], block=1)
    assert (one.rank == other.rank).all()
    assert np.array_equal(one.average_precision, other.average_precision)
    assert np.array_equal(one.precision, other.precision)


def test_a_case_counted_by_hand():
    gallery = np.array([[1.0, 0.0], [0.9, 0.1], [0.8, 0.3], [0.0, 1.0]])
    outcome = closed_set(np.array([[1.0, 0.0]]), np.array([7]), gallery, np.array([UNKNOWN, 7, UNKNOWN, 7]))
    assert outcome.rank.tolist() == [2]
    assert outcome.average_precision[0] == pytest.approx((1 / 2 + 2 / 4) / 2)
    # official: (0 + 1/2) / 2 at the first mate, (1/3 + 2/4) / 2 at the second
    assert outcome.average_precision_official[0] == pytest.approx((0.25 + (1 / 3 + 1 / 2) / 2) / 2)
    assert outcome.cmc(np.array([1, 2])).tolist() == [0.0, 1.0]
    assert outcome.precision[0][[0, -1]].tolist() == [0.5, 0.5]


def test_euclidean_reads_raw_features():
    gallery, identity = np.array([[10.0, 0.0], [1.0, 0.4]]), np.array([0, 1])
    probe = np.array([[1.0, 0.0]])
    assert closed_set(probe, np.array([1]), gallery, identity, "euclidean").rank.tolist() == [1]
    assert closed_set(probe, np.array([1]), gallery, identity, "cosine").rank.tolist() == [2]


@pytest.mark.parametrize(
    ("probe", "gallery", "gallery_identity", "complaint"),
    [
        ([[np.nan, 1]], [[1, 0]], [0], "not finite"),
        ([[0, 0]], [[1, 0]], [0], "zero"),
        ([[1, 0]], [[1, 0, 0]], [0], "widths differ"),
        ([[1, 0]], [[1, 0]], [1], "no mate"),
        ([[1, 0]], [[1, 0]], [UNKNOWN], "no mate"),
        ([1, 0], [[1, 0]], [0], "shape"),
        ([[1, 0]], [[1, 0]], [0, 1], "one identity per embedding"),
    ],
)
def test_embeddings_that_cannot_be_scored_are_refused(probe, gallery, gallery_identity, complaint):
    with pytest.raises(EmbeddingError, match=complaint):
        closed_set(np.array(probe, float), np.array([0]), np.array(gallery, float), np.array(gallery_identity))


def test_distractors_only_make_it_harder():
    rng = np.random.default_rng(0)
    probe, gallery = rng.normal(size=(30, 8)), rng.normal(size=(200, 8))
    identity, gallery_identity = np.arange(30) % 10, np.r_[np.arange(10), np.full(190, UNKNOWN)]
    outcomes = tinyface.identify(probe, identity, gallery, gallery_identity, "cosine")
    assert outcomes["no_distractors"].gallery_size == 10
    assert (outcomes["distractors"].rank >= outcomes["no_distractors"].rank).all()
    figures = tinyface.summary(outcomes["distractors"], identity, draws=200, seed=0)
    assert figures["rank1_interval"][0] <= figures["rank1"] <= figures["rank1_interval"][1]
    assert figures["map_official"] <= figures["map"]


def test_the_interval_draws_people_not_images():
    # one person with many right images, one with many wrong ones: the mean hangs on who is drawn
    values, identity = np.r_[np.ones(50), np.zeros(50)], np.r_[np.zeros(50), np.ones(50)]
    assert interval(values, identity, draws=500, seed=0) == (0.0, 1.0)
    low, high = interval(values, np.arange(100), draws=500, seed=0)
    assert 0.35 < low < 0.5 < high < 0.65
