import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfr.core.template_pooling import pair_scores, templates
from lrfr.errors import EmbeddingError, LrfrError


def one_by_one(embedding, template, media, norm):
    """Each template by itself, as the definition reads."""
    if norm == "unit":
        embedding = embedding / np.linalg.norm(embedding, axis=1, keepdims=True)
    vectors = []
    for name in sorted(set(template.tolist())):
        of_template = template == name
        total = sum(embedding[of_template & (media == medium)].mean(axis=0) for medium in set(media[of_template]))
        vectors.append(total / np.linalg.norm(total))
    return np.array(vectors)


def images(seed, count=200, width=6):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, width)) + 0.5, rng.integers(20, size=count) * 7, rng.integers(9, size=count)


@settings(deadline=None)
@given(st.integers(0, 1000), st.sampled_from(["keep", "unit"]), st.booleans())
def test_templates_are_those_of_a_loop_over_them(seed, norm, words):
    embedding, template, media = images(seed)
    if words:
        template, media = np.char.add("t", template.astype(str)), np.char.add("m", media.astype(str))
    ids, vectors = templates(embedding, template, media, norm)
    assert ids.tolist() == sorted(set(template.tolist()))
    assert vectors.dtype == np.float32
    assert vectors == pytest.approx(one_by_one(embedding, template, media, norm), abs=1e-6)


def test_many_blocks_give_what_one_gives():
    embedding, template, media = images(3, count=5000)
    template = template * 100 + np.arange(5000) % 97
    _, vectors = templates(embedding, template, media)
    assert vectors == pytest.approx(one_by_one(embedding, template, media, "keep"), abs=1e-6)
    ids, vectors = templates(embedding, np.zeros(5000, int), media)  # a template larger than a block
    assert ids.tolist() == [0]
    assert vectors == pytest.approx(one_by_one(embedding, np.zeros(5000, int), media, "keep"), abs=1e-6)


def test_the_order_of_the_images_does_not_count():
    embedding, template, media = images(4)
    order = np.random.default_rng(0).permutation(len(embedding))
    _, one = templates(embedding, template, media)
    _, other = templates(embedding[order], template[order], media[order])
    assert one == pytest.approx(other, abs=1e-7)


def test_a_video_counts_like_a_still_image():
    # two frames of a video (media 1) that point up, one still (media 2) that points right; another template's media 1
    embedding = np.array([[0.0, 2.0], [0.0, 4.0], [3.0, 0.0], [1.0, 0.0]])
    ids, kept = templates(embedding, np.array([5, 5, 5, 6]), np.array([1, 1, 2, 1]), "keep")
    assert kept[0] == pytest.approx(np.array([1.0, 1.0]) / np.sqrt(2))  # mean 3 up, 3 right
    _, unit = templates(np.array([[0.0, 2.0], [4.0, 0.0]]), np.array([5, 5]), np.array([1, 1]), "unit")
    _, keep = templates(np.array([[0.0, 2.0], [4.0, 0.0]]), np.array([5, 5]), np.array([1, 1]), "keep")
    assert unit[0] == pytest.approx(np.array([1.0, 1.0]) / np.sqrt(2))
    assert keep[0] == pytest.approx(np.array([2.0, 1.0]) / np.sqrt(5))
    assert ids.tolist() == [5, 6]


def test_images_without_a_face_are_left_out():
    embedding = np.array([[1.0, 0.0], [np.nan, 0.0], [0.0, 0.0]])
    missing = np.array([False, True, True])
    ids, vectors = templates(embedding, np.array([1, 1, 2]), np.array([1, 2, 3]), "unit", missing)
    assert ids.tolist() == [1, 2]
    assert vectors.tolist() == [[1.0, 0.0], [0.0, 0.0]]
    scores = pair_scores(vectors, [0, 0, 1], [0, 1, 1], missing=~vectors.any(axis=1))
    assert scores.tolist() == [1.0, -np.inf, -np.inf]
    assert pair_scores(vectors, [0], [1], missing=np.array([True, True])).tolist() == [-np.inf]


@pytest.mark.parametrize(
    ("embedding", "template", "norm", "complaint"),
    [
        ([[1.0, 0.0], [-1.0, 0.0]], ["a", "a"], "keep", "(?s)cancel out.*template a"),
        ([[0.0, 0.0], [1.0, 0.0]], ["a", "b"], "keep", "(?s)cancel out.*template a"),
        ([[1.0, 0.0], [0.0, 0.0]], ["a", "a"], "unit", "(?s)zero.*row 1"),
        ([[1.0, 0.0], [np.inf, 0.0]], ["a", "a"], "keep", "(?s)not finite.*row 1"),
        ([[1.0, 0.0]], ["a", "a"], "keep", "differ in length"),
        ([1.0, 0.0], ["a", "a"], "keep", "shape"),
        ([[1.0, 0.0], [1.0, 0.0]], ["a", "a"], "raw", "unknown norm"),
    ],
)
def test_images_that_make_no_template_are_refused(embedding, template, norm, complaint):
    with pytest.raises(LrfrError, match=complaint):
        templates(np.array(embedding), np.array(template), np.arange(2), norm)


def test_three_images_that_cancel_but_for_rounding_are_refused():
    one, other = np.random.default_rng(0).normal(size=(2, 64)).astype(np.float32)
    embedding = np.stack([one, other, -(one + other)])
    assert embedding.sum(axis=0, dtype=float).any()
    with pytest.raises(EmbeddingError, match="cancel out"):
        templates(embedding, np.zeros(3, int), np.arange(3))


def test_pairs_are_scored_by_cosine_or_distance():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(50, 7)).astype(np.float32)
    left, right = rng.integers(50, size=(2, 2000))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = pair_scores(vectors, left, right)
    assert cosine.dtype == np.float32
    assert cosine == pytest.approx((unit @ unit.T)[left, right], abs=1e-6)
    distance = ((vectors[left] - vectors[right]) ** 2).sum(axis=1)
    assert pair_scores(vectors, left, right, "euclidean") == pytest.approx(-distance, rel=1e-5)


@settings(deadline=None)
@given(st.integers(1, 600), st.integers(0, 1000))
def test_equal_vectors_give_equal_scores_wherever_they_stand(width, seed):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(2, width)).astype(np.float32)[np.arange(40) % 2]
    left, right = 2 * rng.integers(20, size=1500), 2 * rng.integers(20, size=1500) + 1
    scores = pair_scores(vectors, left, right)
    assert (scores == scores[0]).all()
    assert np.array_equal(scores, pair_scores(vectors, right, left))


@given(st.integers(0, 10_000))
def test_a_cosine_depends_on_no_length(seed):
    rng = np.random.default_rng(seed)
    vectors, length = rng.integers(1, 6, (40, 3)).astype(np.float32), rng.integers(1, 50, (40, 1)).astype(np.float32)
    left, right = rng.integers(0, 40, (2, 60))
    assert np.array_equal(pair_scores(vectors, left, right), pair_scores(vectors * length, left, right))


def test_tensors_give_the_scores_of_arrays():
    import torch

    vectors = np.random.default_rng(0).normal(size=(30, 8)).astype(np.float32)
    left, right = np.arange(30), np.arange(30)[::-1].copy()
    missing = np.arange(30) == 4
    for metric in ("cosine", "euclidean"):
        scores = pair_scores(torch.from_numpy(vectors), left, right, metric, missing)
        assert scores == pytest.approx(pair_scores(vectors, left, right, metric, missing), abs=1e-5)


@pytest.mark.parametrize(
    ("vectors", "left", "complaint"),
    [
        ([[1.0, 0.0], [0.0, 0.0]], [0], "zero"),
        ([[1.0, 0.0], [np.nan, 0.0]], [0], "not finite"),
        ([[1.0, 0.0], [1.0, 0.0]], [2], "(?s)do not exist.*row 2"),
        ([[1.0, 0.0], [1.0, 0.0]], [-1], "do not exist"),
        ([[1.0, 0.0], [1.0, 0.0]], [0.5], "whole numbers"),
        ([[1.0, 0.0], [1.0, 0.0]], [0, 1], "both sides"),
        ([1.0, 0.0], [0], "shape"),
    ],
)
def test_pairs_that_cannot_be_scored_are_refused(vectors, left, complaint):
    with pytest.raises(EmbeddingError, match=complaint):
        pair_scores(np.array(vectors), np.array(left), np.array([0]))
    with pytest.raises(LrfrError, match="unknown metric"):
        pair_scores(np.eye(2), np.array([0]), np.array([0]), "dot")
