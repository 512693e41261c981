"""The search: against scores of every pair, by both metrics, and the index against the exact search."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrfr.core.gallery_templates import gallery_templates
from lrfr.errors import EmbeddingError, GalleryError
from lrfr.galleries import search
from lrfr.galleries.search import nearest, open_index, templates

METRICS = pytest.mark.parametrize("metric", ["cosine", "euclidean"])


def rows(seed, people=40, width=16, images=3):
    rng = np.random.default_rng(seed)
    person = np.concatenate([np.arange(people), rng.integers(people, size=people * (images - 1))])
    return rng.normal(size=(len(person), width)).astype(np.float32), rng.permutation(person)


@METRICS
def test_templates_are_those_that_the_calibration_has(metric, monkeypatch):
    monkeypatch.setattr(search, "ROWS", 7)
    embedding, person = rows(0)
    found = templates(embedding, person, 40, metric)
    average = "unit" if metric == "cosine" else "raw"
    expected, _ = gallery_templates(embedding, person, np.ones(len(person), bool), metric, average)
    if metric == "cosine":
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@METRICS
@given(seed=st.integers(0, 10**6), most=st.integers(1, 9), people=st.integers(1, 30))
def test_the_nearest_are_those_of_all_pairs(metric, seed, most, people):
    embedding, person = rows(seed, people)
    template = templates(embedding, person, people, metric)
    probe = np.random.default_rng(seed + 1).normal(size=(4, 16))
    found, scores = nearest(probe, template, metric, most)
    if metric == "cosine":
        every = probe / np.linalg.norm(probe, axis=1, keepdims=True) @ template.T.astype(float)
    else:
        every = -((probe[:, None] - template) ** 2).sum(2)
    order = np.argsort(-every, axis=1)[:, :most]
    np.testing.assert_allclose(scores, np.take_along_axis(every, order, 1), atol=1e-6)
    np.testing.assert_allclose(np.take_along_axis(every, found, 1), scores, atol=1e-6)


@METRICS
def test_the_index_finds_what_the_exact_search_finds(metric, tmp_path):
    embedding, person = rows(0, 3000, 32, 1)
    template = templates(embedding, person, 3000, metric)
    probe = template[::7] + 0.4 * np.random.default_rng(1).normal(size=(429, 32)) / np.sqrt(32)
    index = open_index(tmp_path / "i.usearch", template, metric)
    people, scores = nearest(probe, template, metric, 5)
    for one in (index, open_index(tmp_path / "i.usearch", template, metric)):  # as made, and as read again
        found, by_index = nearest(probe, template, metric, 5, one)
        assert (found[:, 0] == people[:, 0]).mean() > 0.98
        same = found == people
        np.testing.assert_allclose(by_index[same], scores[same], atol=1e-9)  # scored exactly


def test_an_index_of_other_people_is_made_anew(tmp_path):
    embedding, person = rows(0, 50, 16, 1)
    template = templates(embedding, person, 50, "cosine")
    open_index(tmp_path / "i.usearch", template[:40], "cosine")
    assert len(open_index(tmp_path / "i.usearch", template, "cosine")) == 50


def test_embeddings_that_cannot_be_compared_are_refused():
    embedding, person = rows(0, 5)
    template = templates(embedding, person, 5, "cosine")
    for wrong in (np.zeros((1, 16)), np.full((1, 16), np.nan), np.ones(16)):
        with pytest.raises(EmbeddingError):
            nearest(wrong, template, "cosine", 1)
    with pytest.raises(EmbeddingError, match="gallery row 2"):
        templates(np.where(np.arange(len(embedding))[:, None] == 2, 0, embedding), person, 5, "cosine")
    with pytest.raises(GalleryError, match="average to nothing"):
        templates(np.array([[1.0, 0], [-1, 0]], np.float32), np.array([0, 0]), 1, "cosine")
