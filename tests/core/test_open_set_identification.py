import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfr.core.gallery_templates import gallery_templates
from lrfr.core.identification import MISSED, UNKNOWN
from lrfr.core.open_set_identification import open_set
from lrfr.errors import EmbeddingError, LrfrError
from tests.core.brute_force import cosine, tpir_at


def vectors(rng, count):
    """Few distinct directions: most scores are tied."""
    some = rng.integers(-1, 2, size=(count, 3)).astype(np.float32)
    some[~some.any(1)] = 1
    return some


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.booleans())
def test_tpir_is_the_largest_among_all_thresholds(seed, rank, missing):
    rng = np.random.default_rng(seed)
    people, n_mated, n_unmated = rng.integers(1, [6, 12, 12], endpoint=True)
    gallery, mated, unmated = vectors(rng, people + 2), vectors(rng, n_mated), vectors(rng, n_unmated)
    gallery_identity = np.r_[np.arange(people), UNKNOWN, UNKNOWN]
    identity = rng.integers(people, size=n_mated)
    gone = [rng.random(len(rows)) < 0.3 * missing for rows in (gallery, mated, unmated)]
    names = ("gallery_missing", "mated_missing", "unmated_missing")
    outcome = open_set(
        gallery, gallery_identity, mated, identity, unmated, rank=rank, **dict(zip(names, gone, strict=True))
    )
    scores, alarms = cosine(mated, gallery), cosine(unmated, gallery)
    scores[gone[1]] = alarms[gone[2]] = scores[:, gone[0]] = alarms[:, gone[0]] = -np.inf
    mate = scores[np.arange(n_mated), identity]
    ranks = (scores >= mate[:, None]).sum(axis=1)
    ranks[mate == -np.inf] = MISSED
    assert (outcome.mate_rank == ranks).all()
    assert outcome.mate_score == pytest.approx(mate)
    assert outcome.unmated_score == pytest.approx(alarms.max(axis=1))
    for fpir in (0.05, 0.3, 0.5, 1.0):
        assert outcome.tpir(fpir) == tpir_at(fpir, mate, ranks, alarms.max(axis=1), rank)
    assert outcome.n_missing == dict(zip(("gallery", "mated", "unmated"), [mask.sum() for mask in gone], strict=True))


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_the_area_is_that_under_the_curve_s_steps(seed):
    rng = np.random.default_rng(seed)
    outcome = open_set(vectors(rng, 6), np.arange(6), vectors(rng, 9), rng.integers(6, size=9), vectors(rng, 7), rank=2)
    fpir, tpir = outcome.curve()
    assert fpir[0] == 0 and fpir[-1] == 1 and (np.diff(fpir) > 0).all() and (np.diff(tpir) >= 0).all()
    assert outcome.auc() == pytest.approx((np.diff(fpir) * tpir[:-1]).sum())
    assert [outcome.tpir(rate) for rate in fpir] == tpir.tolist()


def test_a_case_counted_by_hand():
    gallery, identity = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([4, 9])
    mated, mated_identity = np.array([[1.0, 0.0], [0.6, 0.8], [0.8, 0.6]]), np.array([4, 4, 4])  # scores 1, 0.6, 0.8
    unmated = np.array([[0.6, 0.8], [0.8, -0.6], [-1, -1], [-1, -2]])  # best scores 0.8, 0.8, -0.7, -0.4
    outcome = open_set(gallery, identity, mated, mated_identity, unmated, rank=1)
    assert outcome.mate_rank.tolist() == [1, 2, 1]
    assert outcome.false_alarms.tolist() == [0, 5, 2]  # the second is not at rank 1; the third ties with two unmated
    assert [outcome.tpir(rate) for rate in (0.25, 0.5, 1.0)] == pytest.approx([1 / 3, 2 / 3, 2 / 3])
    assert outcome.auc() == pytest.approx((1 / 3 * 0.5) + (2 / 3 * 0.5))
    assert open_set(gallery, identity, mated, mated_identity, unmated, rank=2).tpir(1.0) == 1.0


def test_templates_are_means_of_unit_or_of_raw_embeddings_in_any_order():
    rng = np.random.default_rng(0)
    gallery, identity = rng.normal(size=(40, 6)) * rng.lognormal(size=(40, 1)), np.arange(40) % 8
    mated, mated_identity, unmated = rng.normal(size=(20, 6)), np.arange(20) % 8, rng.normal(size=(15, 6))
    unit = gallery / np.linalg.norm(gallery, axis=1, keepdims=True)
    order = rng.permutation(40)
    for average, rows in (("unit", unit), ("raw", gallery)):
        outcome = open_set(gallery, identity, mated, mated_identity, unmated, average=average)
        template = np.array([rows[identity == person].mean(axis=0) for person in range(8)])
        assert outcome.mate_score == pytest.approx(cosine(mated, template)[np.arange(20), mated_identity])
        again = open_set(gallery[order], identity[order], mated, mated_identity, unmated, average=average)
        assert np.array_equal(outcome.mate_score, again.mate_score)
        assert outcome.n_gallery == 8
        given_directly = open_set(template, np.arange(8), mated, mated_identity, unmated)
        assert given_directly.figures(draws=50) == outcome.figures(draws=50)


def test_a_template_is_the_same_to_the_last_bit_in_any_order():
    rng = np.random.default_rng(0)
    gallery, identity, order = rng.normal(size=(90, 6)), np.arange(90) % 3, rng.permutation(90)
    present = np.ones(90, bool)
    one = gallery_templates(gallery, identity, present, "cosine", "unit")
    other = gallery_templates(gallery[order], identity[order], present, "cosine", "unit")
    assert np.array_equal(one[0], other[0]) and np.array_equal(one[1], other[1])


def test_the_best_template_is_found_where_float32_cannot_tell():
    rng = np.random.default_rng(0)
    probe = rng.normal(size=(20, 64))
    gallery = rng.normal(size=64) + 1e-7 * rng.normal(size=(500, 64))
    outcome = open_set(gallery, np.arange(500), gallery[:1], [0], probe)
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (probe, gallery)]
    assert outcome.unmated_score == pytest.approx((unit[0] @ unit[1].T).max(axis=1), abs=1e-11, rel=0)


def test_a_rate_that_is_not_exact_in_binary_allows_its_whole_number_of_false_alarms():
    # 0.29 * 100 is 28.999999999999996
    unmated = np.stack([np.cos(np.arange(100) / 100), np.sin(np.arange(100) / 100)], axis=1)
    mated = [[np.cos(0.285), np.sin(0.285)]]  # as alike as the 29th of them, almost
    outcome = open_set([[1.0, 0.0]], [0], mated, [0], unmated)
    assert outcome.false_alarms.tolist() == [29]
    assert (outcome.tpir(0.28), outcome.tpir(0.29)) == (0.0, 1.0)


def test_raw_euclidean_distances():
    gallery = np.array([[0.0, 0.0], [3.0, 4.0], [5.0, 4.0]])
    outcome = open_set(gallery, [0, 1, 1], [[3.0, 4.0]], [1], [[1.0, 0.0]], "euclidean", average="raw")
    assert (outcome.mate_score.tolist(), outcome.unmated_score.tolist()) == ([-1.0], [-1.0])


def test_tensors_give_what_arrays_give():
    import torch

    rng = np.random.default_rng(0)
    arrays = vectors(rng, 6), np.arange(6), vectors(rng, 9), rng.integers(6, size=9), vectors(rng, 7)
    assert open_set(*arrays).figures(draws=9) == open_set(*map(torch.from_numpy, arrays)).figures(draws=9)


def test_figures_say_what_cannot_be_resolved():
    rng = np.random.default_rng(0)
    mated, identity, unmated = rng.normal(size=(60, 4)), np.arange(60) % 12, rng.normal(size=(50, 4))
    outcome = open_set(rng.normal(size=(12, 4)), np.arange(12), mated, identity, unmated, rank=5)
    figures = outcome.figures(fpir=(0.3, 0.02, 0.01), draws=300)
    assert list(figures["tpir"]) == list(figures["fnir"]) == ["0.3", "0.02", "0.01"]
    assert figures["tpir"]["0.01"] is figures["fnir"]["0.01"] is figures["tpir_interval"]["0.01"] is None
    assert figures["not_resolvable"] == ["FPIR 0.01: not resolvable with 50 unmated probes"]
    assert figures["fnir"]["0.3"] == pytest.approx(1 - figures["tpir"]["0.3"])
    low, high = figures["tpir_interval"]["0.3"]
    assert 0 <= low <= figures["tpir"]["0.3"] <= high <= 1 and low < high
    assert figures["auc_interval"][0] <= figures["auc"] <= figures["auc_interval"][1]
    counts = {"n_gallery": 12, "n_mated": 60, "n_unmated": 50, "rank": 5, "n_missing_unmated": 0}
    assert figures | counts == figures


def test_the_interval_draws_unmated_probes_too():
    # every mated probe is found unless the one loud unmated probe is drawn once or more
    outcome = open_set(np.eye(2), [0, 1], [[1, 0.1], [0.1, 1]], [0, 1], np.r_[[[1, 0]], -np.ones((9, 2))])
    assert outcome.figures(fpir=(0.1,), draws=500)["tpir_interval"]["0.1"] == [0.0, 1.0]


OK = {
    "gallery": np.eye(2),
    "gallery_identity": [0, 1],
    "mated": np.eye(2),
    "mated_identity": [0, 1],
    "unmated": np.ones((3, 2)),
}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"unmated": np.zeros((0, 2))}, "unmated embeddings have the shape"),
        ({"unmated": np.ones((3, 4))}, "widths differ: gallery 2, mated 2, unmated 4"),
        ({"unmated": [[1, np.nan]]}, "unmated embeddings are not finite"),
        ({"mated": np.zeros((2, 2))}, "mated embeddings are zero"),
        ({"gallery": np.zeros((2, 2))}, "gallery embeddings are zero"),
        ({"gallery": [[1, 2], [-1, -2]], "gallery_identity": [0, 0], "mated_identity": [0, 0]}, "averages to zero"),
        ({"mated_identity": [0, 5]}, "no mate"),
        ({"mated_identity": [0, UNKNOWN]}, "negative"),
        ({"gallery_identity": [0, -100]}, "negative"),
        ({"rank": 0}, "rank is 0"),
        ({"average": "mean"}, "unknown average 'mean'"),
        ({"metric": "euclidean"}, "take the average raw"),
    ],
)
def test_what_cannot_be_scored_is_refused(change, complaint):
    with pytest.raises(LrfrError, match=complaint):
        open_set(**(OK | change))


@pytest.mark.parametrize("rate", [0, -0.1, 1.5, float("nan")])
def test_an_fpir_that_is_no_rate_is_refused(rate):
    with pytest.raises(EmbeddingError, match="FPIR"):
        open_set(**OK).figures(fpir=(rate,))
