from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfr.core.pair_drawing import draw_pairs
from lrfr.errors import EmbeddingError


def names(pairs, faces):
    return [frozenset((faces[one], faces[other])) for one, other in zip(pairs.left, pairs.right, strict=True)]


@settings(deadline=None)
@given(st.integers(0, 1000), st.integers(1, 25), st.integers(0, 40), st.integers(0, 40))
def test_pairs_are_unique_rightly_named_and_as_many_as_asked_for(seed, count, positives, negatives):
    rng = np.random.default_rng(seed)
    faces = np.array([f"face{number}" for number in rng.permutation(count)])
    identity = rng.integers(6, size=count)
    pairs = draw_pairs(faces, identity, positives, negatives, seed)
    genuine = sum(identity[a] == identity[b] for a, b in combinations(range(count), 2))
    impostors = count * (count - 1) // 2 - genuine
    assert (pairs.same == (identity[pairs.left] == identity[pairs.right])).all()
    assert (pairs.same.sum(), (~pairs.same).sum()) == (min(positives, genuine), min(negatives, impostors))
    assert len(set(names(pairs, faces))) == len(pairs.same)
    assert (pairs.left != pairs.right).all()
    assert bool(pairs.capped) == (genuine < positives or impostors < negatives)


def test_the_draw_depends_on_the_faces_and_the_seed_and_not_on_their_order():
    rng = np.random.default_rng(0)
    faces, identity = np.array([f"f{number:03}" for number in range(200)]), rng.integers(30, size=200)
    order = rng.permutation(200)
    one, other = draw_pairs(faces, identity, 50, 80, 7), draw_pairs(faces[order], identity[order], 50, 80, 7)
    assert names(one, faces) == names(other, faces[order])
    assert names(one, faces) != names(draw_pairs(faces, identity, 50, 80, 8), faces)


def test_every_pair_is_as_likely_as_any_other():
    identity = np.array([0, 0, 0, 1, 1, 2])
    counts = {}
    for seed in range(3000):
        for pair in names(draw_pairs(np.arange(6), identity, 2, 3, seed), range(6)):
            counts[pair] = counts.get(pair, 0) + 1
    genuine = [frozenset(pair) for pair in ((0, 1), (0, 2), (1, 2), (3, 4))]
    assert len(counts) == 15
    for pair, count in counts.items():
        assert count / 3000 == pytest.approx(2 / 4 if pair in genuine else 3 / 11, abs=0.04)


def test_what_does_not_exist_is_said():
    pairs = draw_pairs(np.arange(4), np.array(["a", "a", "b", "c"]), 9, 9)
    assert pairs.capped == ["9 genuine pairs were asked for, 1 exist", "9 impostor pairs were asked for, 5 exist"]


def test_faces_that_cannot_be_paired_are_refused():
    with pytest.raises(EmbeddingError, match=r"(?s)twice.*face b"):
        draw_pairs(np.array(["a", "b", "b"]), np.zeros(3))
    with pytest.raises(EmbeddingError, match="differ"):
        draw_pairs(np.array(["a", "b"]), np.zeros(3))
