"""Suspicions on embeddings made up with known errors."""

import numpy as np
import pytest

from lrfr.quality.label_errors import not_a_face, wrong_identity

PEOPLE, IMAGES, WIDTH = 40, 6, 32


def clusters(spread: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of people (N, D), and who each shows."""
    rng = np.random.default_rng(seed)
    identity = np.repeat(np.arange(PEOPLE), IMAGES)
    return rng.normal(size=(PEOPLE, WIDTH))[identity] + spread * rng.normal(size=(len(identity), WIDTH)), identity


@pytest.mark.parametrize("spread", [0.5, 1.2])
def test_wrong_identities_are_found_and_the_right_ones_suggested(spread):
    embedding, true = clusters(spread)
    rng = np.random.default_rng(1)
    wrong = rng.choice(len(true), 12, replace=False)
    given = true.copy()
    given[wrong] = (true[wrong] + rng.integers(1, PEOPLE, len(wrong))) % PEOPLE
    found = wrong_identity(embedding, given)
    first = np.argsort(-found.error_probability)[: len(wrong)]
    assert len(np.intersect1d(first, wrong)) >= 11
    assert np.mean(found.suggested[wrong] == true[wrong]) >= 0.9
    assert (found.error_probability[wrong] > 0.5).mean() >= 0.9
    assert np.delete(found.error_probability, wrong).mean() < 0.3


def test_a_face_does_not_vouch_for_itself():
    """Two faces unlike each other and everybody else, under one name: with itself in the mean neither would be odd."""
    embedding, identity = clusters(0.3)
    odd = np.random.default_rng(5).normal(size=(2, WIDTH))
    found = wrong_identity(np.vstack([embedding, odd]), np.append(identity, [PEOPLE, PEOPLE]))
    assert (found.error_probability[-2:] > 0.5).all()


def test_the_memory_is_cut_in_blocks_that_change_nothing(monkeypatch):
    embedding, identity = clusters(1.0)
    whole = wrong_identity(embedding, identity)
    monkeypatch.setattr("lrfr.quality.label_errors.BLOCK", 7)
    parts = wrong_identity(embedding, identity)
    assert parts.error_probability == pytest.approx(whole.error_probability)
    assert (parts.suggested == whole.suggested).all()


def test_nobody_is_suspected_without_another_face_to_compare_with():
    embedding, _ = clusters(0.5)
    found = wrong_identity(embedding[:5], np.array([0, 0, 1, 1, 2]))
    assert np.isnan(found.error_probability).tolist() == [False] * 4 + [True]
    assert np.isnan(wrong_identity(embedding[:5], np.array([-1, 0, -1, 2, 0])).error_probability).all()
    assert np.isnan(wrong_identity(embedding[:2], np.array([-1, -1])).error_probability).all()


def test_clutter_that_was_called_a_face_is_found():
    rng = np.random.default_rng(2)
    faces, clutter = rng.normal(2, 1, (300, WIDTH)), rng.normal(0, 1, (60, WIDTH))
    embedding = np.vstack([faces, clutter])
    is_face = np.repeat([1, 0], [300, 60])
    planted = np.array([300, 317, 340, 359])
    is_face[planted] = [1, 1, -1, -1]  # two called faces, two that nobody judged
    error_probability = not_a_face(embedding, is_face)
    asked = np.flatnonzero(is_face != 0)
    assert set(asked[np.argsort(-error_probability[asked])][:4]) == set(planted)
    assert (error_probability[planted] > 0.5).all()
    assert (error_probability[:300] < 0.5).mean() > 0.98


def test_nothing_is_judged_by_what_it_was_called_itself():
    """Clutter without any likeness to other clutter: a regression that had seen it would know it by heart."""
    rng = np.random.default_rng(3)
    error_probability = not_a_face(rng.normal(size=(60, 200)), np.array([1, 0] * 30))
    agreed = np.mean((error_probability < 0.5) == np.array([1, 0] * 30))
    assert 0.25 < agreed < 0.75


def test_without_non_faces_nothing_is_said():
    assert np.isnan(not_a_face(np.eye(12), np.array([1] * 8 + [0] * 4))).all()
