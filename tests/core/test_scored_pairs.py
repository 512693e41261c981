import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfr.core.scored_pairs import checked_pairs, count_within
from lrfr.errors import EmbeddingError


@settings(deadline=None)
@given(st.integers(1, 3000), st.data())
def test_a_share_that_is_a_count_of_the_total_allows_that_count(total, data):
    count = data.draw(st.integers(0, total))
    assert count_within(count / total, total) == count


@settings(deadline=None)
@given(st.floats(0, 1), st.integers(0, 300))
def test_the_count_is_the_largest_within_the_share(share, total):
    assert count_within(share, total) == max(
        [count for count in range(1, total + 1) if count / total <= share], default=0
    )


def test_decimal_shares_count_as_they_read():
    assert [count_within(0.29, 100), count_within(0.57, 100), count_within(1e-6, 1_000_000)] == [29, 57, 1]


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.int32])
def test_scores_of_any_number_type_are_read(kind):
    score, _ = checked_pairs(np.array([1, 0], kind), np.array([True, False]))
    assert score.dtype in (np.float32, np.float64)
    with pytest.raises(EmbeddingError, match="not numbers"):
        checked_pairs(np.array(["1", "0"]), np.array([True, False]))
