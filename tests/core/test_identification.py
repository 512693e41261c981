from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfr.core import ranking, score_blocks
from lrfr.core.identification import MISSED, RANKS, UNKNOWN, closed_set
from lrfr.errors import EmbeddingError, LrfrError
from tests.core.brute_force import cosine, euclidean, walk_the_list


@st.composite
def tied_data(draw, missing=False):
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    probes, people, extra = draw(st.integers(1, 5)), draw(st.integers(1, 4)), draw(st.integers(0, 12))
    gallery_identity = np.concatenate([np.arange(people), rng.integers(UNKNOWN, people, size=extra)])
    # few distinct directions: most scores are tied
    width = draw(st.sampled_from([1, 2, 3, 17]))
    gallery = rng.integers(-1, 2, size=(len(gallery_identity), width)).astype(np.float32)
    probe = rng.integers(-1, 2, size=(probes, width)).astype(np.float32)
    gallery[~gallery.any(1)], probe[~probe.any(1)] = 1, 1
    data = probe, rng.integers(people, size=probes), gallery, gallery_identity
    if not missing:
        return data
    absent = rng.random(probes) < 0.2, rng.random(len(gallery)) < 0.3
    probe[absent[0]], gallery[absent[1]] = 0, np.nan  # nobody looks at them
    return *data, *absent


@contextmanager
def small_blocks(seed):
    """Every loop goes around several times, even for a handful of rows."""
    chunk, block, cast, part = np.random.default_rng(seed).integers(1, 40, size=4).tolist()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(score_blocks, "CHUNK", chunk)
        patch.setattr(score_blocks, "BLOCK", block)
        patch.setattr(score_blocks, "CAST", cast)
        patch.setattr(ranking, "PART", part)
        yield


def assert_equal(one, other):
    for name in ("rank", "average_precision", "average_precision_official", "precision"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name


def assert_walked(outcome, scores, probe_identity, gallery_identity, probe_missing=None, gallery_missing=None):
    for row, identity in enumerate(probe_identity):
        mates = (gallery_identity == identity).tolist()
        gone = range(len(mates)) if probe_missing is not None and probe_missing[row] else ()
        gone = gone or ([] if gallery_missing is None else np.flatnonzero(gallery_missing).tolist())
        rank, average, official = walk_the_list(scores[row].tolist(), mates, gone)
        assert outcome.rank[row] == (rank or MISSED)
        assert outcome.average_precision[row] == pytest.approx(average)
        assert outcome.average_precision_official[row] == pytest.approx(official)


@given(tied_data(), st.sampled_from([("cosine", cosine), ("euclidean", euclidean)]))
def test_ranks_and_both_precisions_are_those_of_a_walk_down_the_list(data, metric):
    probe, probe_identity, gallery, gallery_identity = data
    outcome = closed_set(probe, probe_identity, gallery, gallery_identity, metric[0])
    assert_walked(outcome, metric[1](probe, gallery), probe_identity, gallery_identity)


@given(tied_data(missing=True))
def test_what_is_missing_is_a_miss_and_is_counted(data):
    probe, probe_identity, gallery, gallery_identity, no_probe, no_gallery = data
    outcome = closed_set(
        probe, probe_identity, gallery, gallery_identity, probe_missing=no_probe, gallery_missing=no_gallery
    )
    with np.errstate(invalid="ignore"):
        scores = cosine(np.where(no_probe[:, None], 1, probe), gallery)
    assert_walked(outcome, scores, probe_identity, gallery_identity, no_probe, no_gallery)
    assert not outcome.precision[no_probe].any()
    assert (outcome.cmc([10**9])[0] == 1) == (outcome.rank < MISSED).all()
    assert (outcome.n_missing_probe, outcome.n_missing_gallery) == (no_probe.sum(), no_gallery.sum())


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000), metric=st.sampled_from(["cosine", "euclidean"]))
def test_no_outcome_depends_on_order_blocks_or_type(seed, metric):
    rng = np.random.default_rng(seed)
    gallery_identity = rng.integers(UNKNOWN, 6, size=60)
    gallery_identity[:6] = np.arange(6)
    # near copies of a few vectors, closer than float32's product can tell, far from zero; and exact copies
    base = 5 + rng.normal(size=(5, 8))
    gallery = (base[rng.integers(5, size=60)] + 1e-5 * rng.normal(size=(60, 8))).astype(np.float16).astype(np.float64)
    probe = (base[rng.integers(5, size=7)] + 1e-3 * rng.normal(size=(7, 8))).astype(np.float16)
    gallery[30:40] = gallery[0]
    probe_identity = rng.integers(6, size=7)
    one = closed_set(probe, probe_identity, gallery, gallery_identity, metric)
    assert_walked(
        one, {"cosine": cosine, "euclidean": euclidean}[metric](probe, gallery), probe_identity, gallery_identity
    )
    order = rng.permutation(60)
    with small_blocks(seed):
        assert_equal(one, closed_set(probe, probe_identity, gallery[order], gallery_identity[order], metric))
        turned = np.asfortranarray(gallery, np.float16)
        assert_equal(one, closed_set(probe.astype(np.float32), probe_identity, turned, gallery_identity, metric))


def test_scores_that_float32_cannot_tell_apart_are_told_apart():
    rng = np.random.default_rng(0)
    probe = rng.normal(size=(1, 64))
    steps = np.concatenate(
        [[0.0], np.full(20, -1e-9), np.full(30, 1e-9), np.zeros(5)]
    )  # the mate, worse, better, level
    across = rng.normal(size=64)
    across -= (across @ probe[0]) / (probe[0] @ probe[0]) * probe[0]
    gallery = probe + (1 + steps)[:, None] * across
    outcome = closed_set(probe, [0], gallery, np.r_[0, np.full(55, UNKNOWN)])
    assert outcome.rank.tolist() == [1 + 20 + 5]  # a longer way across is farther: a lower score
    assert closed_set(probe, [0], gallery, np.r_[0, np.full(55, UNKNOWN)], "euclidean").rank.tolist() == [1 + 20 + 5]


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_a_model_that_has_collapsed_ranks_every_mate_last(metric):
    identity = np.r_[np.arange(10), np.full(300, UNKNOWN)]
    vectors = np.tile(np.float32([[0.3, 0.1, 0.7]]), (310, 1))
    outcome = closed_set(vectors[:10], np.arange(10), vectors, identity, metric)
    assert outcome.rank.tolist() == [310] * 10
    with small_blocks(3):
        assert_equal(outcome, closed_set(vectors[:10], np.arange(10), vectors, identity, metric))


def test_many_near_rows_and_copies_are_scored_exactly_in_the_dense_case():
    rng = np.random.default_rng(0)
    vectors = np.repeat(rng.normal(size=(4, 6)), 50, axis=0)
    identity = np.r_[0:4, np.full(196, UNKNOWN)]
    vectors[:4] = vectors[::50]
    outcome = closed_set(vectors[:100], identity[:100] % 4, vectors, identity)
    assert_walked(outcome, cosine(vectors[:100], vectors), identity[:100] % 4, identity)


def test_a_case_counted_by_hand():
    gallery = np.array([[1.0, 0.0], [0.9, 0.1], [0.8, 0.3], [0.0, 1.0]])
    outcome = closed_set(np.array([[1.0, 0.0]]), np.array([7]), gallery, np.array([UNKNOWN, 7, UNKNOWN, 7]))
    assert outcome.rank.tolist() == [2]
    assert outcome.average_precision[0] == pytest.approx((1 / 2 + 2 / 4) / 2)
    # official: (0 + 1/2) / 2 at the first mate, (1/3 + 2/4) / 2 at the second
    assert outcome.average_precision_official[0] == pytest.approx((0.25 + (1 / 3 + 1 / 2) / 2) / 2)
    assert outcome.cmc(np.array([1, 2])).tolist() == [0.0, 1.0]
    assert outcome.precision[0][[0, -1]].tolist() == [0.5, 0.5]


def test_a_missing_mate_counted_by_hand():
    gallery, identity = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]]), np.array([UNKNOWN, 7, 7])
    outcome = closed_set(np.array([[1.0, 0.0]]), [7], gallery, identity, gallery_missing=np.array([False, False, True]))
    assert outcome.rank.tolist() == [2]
    assert outcome.average_precision[0] == pytest.approx(1 / 2 / 2)
    assert outcome.average_precision_official[0] == pytest.approx(0.25 / 2)
    assert outcome.precision[0][[0, 9, 10, -1]].tolist() == [0.5, 0.5, 0.0, 0.0]  # recall stops at a half


def test_euclidean_reads_raw_features():
    gallery, identity = np.array([[10.0, 0.0], [1.0, 0.4]]), np.array([0, 1])
    probe = np.array([[1.0, 0.0]])
    assert closed_set(probe, np.array([1]), gallery, identity, "euclidean").rank.tolist() == [1]
    assert closed_set(probe, np.array([1]), gallery, identity, "cosine").rank.tolist() == [2]


@pytest.mark.parametrize("size", [1e-30, 1e-3, 1e12, 1e100])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_the_size_of_the_features_changes_nothing(size, metric):
    rng = np.random.default_rng(0)
    probe, gallery, identity = rng.normal(size=(9, 5)), rng.normal(size=(80, 5)), np.r_[0:9, np.full(71, UNKNOWN)]
    one = closed_set(probe, np.arange(9), gallery, identity, metric)
    assert_equal(one, closed_set(probe * size, np.arange(9), gallery * size, identity, metric))


def test_a_memory_mapped_gallery_is_scored_as_one_in_memory(tmp_path):
    rng = np.random.default_rng(0)
    probe, gallery, identity = rng.normal(size=(9, 5)), rng.normal(size=(80, 5)), np.r_[0:9, np.full(71, UNKNOWN)]
    np.save(tmp_path / "gallery.npy", gallery.astype(np.float32))
    mapped = np.load(tmp_path / "gallery.npy", mmap_mode="r")
    one = closed_set(probe, np.arange(9), np.array(mapped), identity)
    with small_blocks(1):
        assert_equal(one, closed_set(probe, np.arange(9), mapped, identity))
        assert_equal(one, closed_set(probe, np.arange(9), mapped[:], identity))
    assert np.array_equal(mapped, gallery.astype(np.float32))


@settings(deadline=None, max_examples=30)
@given(tied_data(missing=True), st.sampled_from(["cosine", "euclidean"]))
def test_tensors_give_what_arrays_give(data, metric):
    import torch

    probe, probe_identity, gallery, gallery_identity, no_probe, no_gallery = data
    masks = {"probe_missing": no_probe, "gallery_missing": no_gallery}
    one = closed_set(probe, probe_identity, gallery, gallery_identity, metric, **masks)
    tensors = [torch.from_numpy(array) for array in (probe, probe_identity, gallery, gallery_identity)]
    assert_equal(one, closed_set(*tensors, metric, **{name: torch.from_numpy(mask) for name, mask in masks.items()}))


def test_a_product_below_float32_is_refused(monkeypatch):
    import torch

    rng = np.random.default_rng(0)
    rough = torch.Tensor.__matmul__
    monkeypatch.setattr(torch.Tensor, "__matmul__", lambda a, b: rough(a.bfloat16(), b.bfloat16()).float())
    probe, gallery = (torch.from_numpy(rng.normal(size=(rows, 64))).float() for rows in (5, 50))
    with pytest.raises(EmbeddingError, match="less precise than float32"):
        closed_set(probe, np.arange(5), gallery, np.arange(50))


OK = ([[1, 0]], [0], [[1, 0], [0, 1]], [0, UNKNOWN])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"probe": [[np.nan, 1]]}, "probe embeddings are not finite"),
        ({"gallery": [[1, 0], [np.inf, 1]]}, "gallery embeddings are not finite.*\n.*gallery row 1"),
        ({"probe": [[0, 0]]}, "zero"),
        ({"gallery": [[0, 0], [1, 0]]}, "zero"),
        ({"gallery": [[1, 0, 0], [1, 0, 0]]}, "widths differ"),
        ({"gallery_identity": [1, UNKNOWN]}, "no mate"),
        ({"gallery_identity": [UNKNOWN, UNKNOWN]}, "no mate"),
        ({"probe": [1, 0]}, "shape"),
        ({"probe": np.zeros((0, 2))}, "shape"),
        ({"probe": np.zeros((1, 0))}, "shape"),
        ({"gallery": np.array([[1, None], [0, 1]], object)}, "type object"),
        ({"gallery": np.ones((2, 2), complex)}, "type complex"),
        ({"gallery_identity": [0]}, "one identity per embedding"),
        ({"gallery_identity": [0.0, -1.0]}, "whole numbers"),
        ({"probe_identity": ["anna"]}, "whole numbers"),
        ({"gallery_identity": [0, -100]}, "negative.*\n.*-100"),
        ({"probe_identity": [UNKNOWN]}, "negative"),
        ({"probe_missing": [0]}, "one bool"),
        ({"gallery_missing": [True]}, "one bool"),
        ({"metric": "cosinus"}, "did you mean 'cosine'"),
    ],
)
def test_what_cannot_be_scored_is_refused(change, complaint):
    given = dict(zip(("probe", "probe_identity", "gallery", "gallery_identity"), OK, strict=True))
    with pytest.raises(LrfrError, match=complaint):
        closed_set(**(given | change))


def test_figures_have_the_contract_s_names_and_intervals_around_them():
    rng = np.random.default_rng(0)
    identity, gallery_identity = np.arange(30) % 10, np.r_[np.arange(10), np.full(190, UNKNOWN)]
    outcome = closed_set(rng.normal(size=(30, 8)), identity, rng.normal(size=(200, 8)), gallery_identity)
    figures = outcome.figures(identity, draws=200)
    headlines = [*(f"rank{k}" for k in RANKS), "map", "map_official"]
    counts = {"n_probe": 30, "n_gallery": 200, "n_missing_probe": 0, "n_missing_gallery": 0}
    assert figures.keys() == {*counts, *headlines, *(f"{name}_interval" for name in headlines)}
    assert figures | counts == figures
    for name in headlines:
        low, high = figures[f"{name}_interval"]
        assert low <= figures[name] <= high
    assert figures["rank10"] == round(float((outcome.rank <= 10).mean()), 6)
    assert figures["map_official"] <= figures["map"]


def test_a_gallery_of_one_gives_no_figure():
    outcome = closed_set([[1.0, 0.0]], [3], [[0.0, 1.0]], [3])
    assert outcome.rank.tolist() == [1]
    figures = outcome.figures(np.array([3]))
    assert figures["rank1"] is None and figures["map_interval"] is None
    assert "one identity" in figures["note"]
