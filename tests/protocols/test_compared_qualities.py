"""Qualities of several models on the scores of one, and each on its own."""

import dataclasses

import numpy as np
import pytest

from lrfr.core.rejection import reject
from lrfr.errors import EmbeddingError
from lrfr.protocols import compared_qualities, erc
from lrfr.protocols.options import ComparedQualities
from tests.protocols.benchmarks import cosines, embed
from tests.protocols.test_erc import small_set

CHOSEN = ComparedQualities(scores="plain", qualities={"knows": ["quality"], "plain": ["norm", "size"]})


@pytest.fixture(scope="module")
def compared():
    """A model whose scores they are, and another that knows the faces that the first one cannot match."""
    faces = small_set()
    plain, knows = (embed(faces, noise=noise, seed=seed) for seed, noise in enumerate((0.25, 0.2)))
    facts = {"metric": "cosine"}
    plain = dataclasses.replace(plain, facts=facts)
    score, identity = cosines(plain), faces.identity
    mates = np.where((identity[:, None] == identity) & ~np.eye(len(identity), dtype=bool), score, np.inf)
    knows = dataclasses.replace(knows, facts=facts, quality=mates.min(axis=1))
    told = compared_qualities.evaluate(faces, {"plain": plain, "knows": knows}, CHOSEN, 200, 0)
    return faces, plain, knows, told


def test_every_quality_is_on_one_models_scores_and_on_its_own(compared):
    faces, plain, knows, told = compared
    assert (told["scores"], told["n_genuine"]) == ("plain", 180)
    assert list(told["qualities"]) == ["knows: quality", "plain: norm", "plain: size", "at random"]
    rows, pairs = erc.drawn(faces, 0)
    sides = knows.quality[rows][pairs.left], knows.quality[rows][pairs.right]
    for side, model in (("on_scores", plain), ("on_its_own", knows)):
        score = cosines(model)[rows][:, rows][pairs.left, pairs.right]
        expected = reject(score, pairs.same, *sides, 1e-3)
        found = told["qualities"]["knows: quality"][side]["fixed"]["0.001"]
        assert found["pauc95"] == pytest.approx(expected.area(0.95), abs=2e-6)
        assert found["fnmr"] == pytest.approx(expected.fnmr.tolist(), abs=1e-6)
        assert set(told["qualities"]["knows: quality"][side]) == {"fixed", "images"}
    assert told["qualities"]["at random"]["on_its_own"] is None


def test_a_quality_that_knows_is_better_than_chance_by_its_interval(compared):
    *_, told = compared
    assert "pauc95_difference" not in told["qualities"]["knows: quality"]["on_scores"]["fixed"]["0.001"]
    by_chance = told["qualities"]["at random"]["on_scores"]["fixed"]["0.001"]
    first = told["qualities"]["knows: quality"]["on_scores"]["fixed"]["0.001"]
    assert by_chance["pauc95_difference"] == pytest.approx(by_chance["pauc95"] - first["pauc95"], abs=2e-6)
    low, high = by_chance["pauc95_difference_interval"]
    assert 0 < low < by_chance["pauc95_difference"] < high
    unresolved = told["qualities"]["at random"]["on_scores"]["fixed"]["0.0001"]
    assert unresolved["pauc95"] is unresolved["pauc95_difference"] is unresolved["pauc95_difference_interval"] is None


def test_intervals_of_differences_are_paired(compared):
    """The same quality twice differs by nothing in every draw."""
    faces, plain, *_ = compared
    chosen = ComparedQualities(scores="plain", qualities={"plain": ["norm"], "again": ["norm"]})
    told = compared_qualities.evaluate(faces, {"plain": plain, "again": plain}, chosen, 50, 0)
    again = told["qualities"]["again: norm"]["on_scores"]["fixed"]["0.001"]
    assert (again["pauc20_difference"], again["pauc20_difference_interval"]) == (0, [0, 0])


def test_a_run_without_the_quality_is_named(compared):
    faces, plain, *_ = compared
    chosen = ComparedQualities(scores="plain", qualities={"plain": ["quality"]})
    with pytest.raises(EmbeddingError, match=r"the run 'plain' has no quality 'quality'; it has norm, size, detector"):
        compared_qualities.evaluate(faces, {"plain": plain}, chosen, 50, 0)
