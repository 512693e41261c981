import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfr.nn.landmarks.views import CUT, MIRRORED, draw_view, seen, view
from tests.nn.landmarks.marked import SHAPE, marked, where_marked

HEIGHT, WIDTH = 90, 70
POINTS = SHAPE * [WIDTH, HEIGHT]


def test_a_mirrored_view_swaps_left_and_right():
    image = marked(POINTS, HEIGHT, WIDTH)
    crop, moved = seen(image, POINTS, np.array([[-1.0, 0, WIDTH], [0, 1, 0]]), (HEIGHT, WIDTH))
    assert np.array_equal(crop, image[:, ::-1])
    assert moved == pytest.approx(POINTS[MIRRORED] * [-1, 1] + [WIDTH, 0])
    assert moved[0, 0] < moved[1, 0]
    assert moved[3, 0] < moved[4, 0]


def test_a_view_that_changes_nothing_is_the_image():
    image = marked(POINTS, HEIGHT, WIDTH)
    crop, moved = seen(image, POINTS, np.eye(2, 3), (HEIGHT, WIDTH))
    assert np.array_equal(crop, image)
    assert np.array_equal(moved, POINTS)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.booleans())
def test_the_points_move_with_the_picture(seed, tight):
    image = marked(POINTS, HEIGHT, WIDTH)
    matrix, size = draw_view(np.random.default_rng(seed), (HEIGHT, WIDTH), tight)
    crop, moved = seen(image, POINTS, matrix, size)
    if np.linalg.det(matrix[:, :2]) < 0:
        crop, moved = crop[:, ::-1], (moved * [-1, 1] + [size[1], 0])[MIRRORED]
    inside = ((moved > 6) & (moved < np.array(size[::-1]) - 6)).all(axis=1)
    assert inside.sum() >= 1
    assert np.abs(where_marked(crop) - moved)[inside].max() < 0.4


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31))
def test_a_tight_view_cuts_into_the_face_and_another_hardly(seed):
    corners = np.array([[0, 0], [WIDTH, HEIGHT]], float)
    for tight, least, most in ((True, (1 - 2 * CUT) ** 2, 1.0), (False, 0.8, 1.2)):
        matrix, size = draw_view(np.random.default_rng(seed), (HEIGHT, WIDTH), tight)
        area = size[0] * size[1] / abs(np.linalg.det(matrix[:, :2]))
        assert least * 0.999 <= area / (WIDTH * HEIGHT) <= most * 1.001
        middle = matrix[:, :2] @ corners.mean(axis=0) + matrix[:, 2]
        assert (np.abs(middle / size[::-1] - 0.5) < 0.35).all()


def test_a_view_is_shrunk_to_the_heights_asked_for_and_repeats():
    image = marked(POINTS, HEIGHT, WIDTH, radius=4)
    heights = set()
    for seed in range(40):
        small, moved = view(image, POINTS, np.random.default_rng(seed), (24, 30), 0.0)
        again, moved_again = view(image, POINTS, np.random.default_rng(seed), (24, 30), 0.0)
        assert np.array_equal(small, again)
        assert np.array_equal(moved, moved_again)
        heights.add(len(small))
        found = where_marked(small)
        order = found if moved[0, 0] == pytest.approx(found[0, 0], abs=3) else found[MIRRORED]
        assert np.abs(order - moved).max() < 0.8
    assert heights <= set(range(24, 31))
    assert len(heights) > 3


def test_a_crop_that_is_no_higher_than_the_height_stays():
    image = marked(POINTS, HEIGHT, WIDTH)
    assert len(view(image, POINTS, np.random.default_rng(0), (400, 400), 0.0)[0]) > 70
