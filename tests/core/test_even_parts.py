import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import KFold

from lrfr.core.even_parts import part_of_each, part_sizes


def test_the_first_parts_are_longer():
    assert part_sizes(25, 10).tolist() == [3] * 5 + [2] * 5
    assert part_sizes(2, 3).tolist() == [1, 1, 0]
    assert part_of_each(5, 2).tolist() == [0, 0, 0, 1, 1]


@given(st.integers(2, 30), st.integers(0, 200))
def test_parts_are_those_of_scikit_learn(parts, more):
    count = parts + more
    peers = [held_out for _, held_out in KFold(parts).split(np.zeros(count))]
    assert part_of_each(count, parts).tolist() == [n for n, rows in enumerate(peers) for _ in rows]
