import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lrfr.core.boxes import iou, match

number = st.floats(-50, 50, allow_nan=False)
side = st.floats(0, 60, allow_nan=False)
boxes = st.lists(st.tuples(number, number, side, side), max_size=6).map(lambda rows: np.reshape(rows, (-1, 4)))


def test_iou_of_known_boxes():
    overlap = iou([[0, 0, 2, 2]], [[0, 0, 2, 2], [1, 0, 2, 2], [2, 2, 5, 5], [0, 0, 0, 0]])
    np.testing.assert_allclose(overlap, [[1, 1 / 3, 0, 0]])


@given(boxes, boxes)
def test_iou_is_symmetric_and_between_0_and_1(first, second):
    overlap = iou(first, second)
    assert overlap.shape == (len(first), len(second))
    assert ((overlap >= 0) & (overlap <= 1)).all()
    np.testing.assert_array_equal(overlap, iou(second, first).T)


@given(boxes, boxes, st.floats(0.05, 1))
def test_match_is_one_to_one_above_the_threshold_and_leaves_no_free_pair(first, second, threshold):
    pairs = match(first, second, threshold)
    rows, columns = [row for row, _ in pairs], [column for _, column in pairs]
    assert len(set(rows)) == len(rows) and len(set(columns)) == len(columns)
    overlap = iou(first, second)
    assert all(overlap[pair] >= threshold for pair in pairs)
    free = np.delete(np.delete(overlap, rows, axis=0), columns, axis=1)
    assert (free < threshold).all()


def test_the_best_overlap_is_paired_first():
    assert match([[0, 0, 10, 10], [1, 0, 10, 10]], [[1, 0, 10, 10]], 0.2) == [(1, 0)]
