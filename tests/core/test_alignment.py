import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrfr.core.alignment import TEMPLATE, TEMPLATES, mirrored, similarity, tight_crop
from lrfr.errors import LandmarkError

PROFILE = np.array([[30.0, 30], [33, 30], [48, 50], [31, 71], [35, 71]])

angles = st.floats(-3.1, 3.1)
scales = st.floats(0.02, 20)
shifts = st.tuples(st.floats(-500, 500), st.floats(-500, 500))


def moved(points, angle, scale, shift):
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return points @ turn.T + shift


def applied(matrix, points):
    return points @ matrix[:, :2].T + matrix[:, 2]


def umeyama(here, there):
    """Equations 38 to 42 as they stand."""
    middle, middle_there = here.mean(axis=0), there.mean(axis=0)
    covariance = (there - middle_there).T @ (here - middle) / len(here)
    left, spread, right = np.linalg.svd(covariance)
    sign = np.diag([1, 1 if np.linalg.det(covariance) >= 0 else -1])
    rotation = left @ sign @ right
    scale = np.trace(np.diag(spread) @ sign) / ((here - middle) ** 2).sum(axis=1).mean()
    return np.column_stack([scale * rotation, middle_there - scale * rotation @ middle])


@given(angles, scales, shifts)
def test_a_planted_similarity_is_found(angle, scale, shift):
    seen = moved(TEMPLATE, angle, scale, shift)
    assert np.allclose(applied(similarity(seen), seen), TEMPLATE, atol=1e-6)
    assert np.allclose(applied(similarity(TEMPLATE, seen), TEMPLATE), seen, atol=1e-6)


@given(angles, scales, st.integers(0, 2**32 - 1))
def test_it_is_umeyamas_and_opencvs(angle, scale, seed):
    rng = np.random.default_rng(seed)
    seen = moved(PROFILE + rng.normal(0, 2, (5, 2)), angle, scale, rng.uniform(-50, 50, 2))
    assert np.allclose(similarity(seen), umeyama(seen, TEMPLATE), rtol=1e-6, atol=1e-6)
    exact = moved(TEMPLATE, angle, scale, rng.uniform(-50, 50, 2))
    theirs, _ = cv2.estimateAffinePartial2D(exact, TEMPLATE, method=cv2.LMEDS)
    assert np.allclose(similarity(exact), theirs, rtol=1e-3, atol=1e-3)


@given(st.integers(0, 2**32 - 1))
def test_no_similarity_near_it_fits_better(seed):
    rng = np.random.default_rng(seed)
    seen = PROFILE + rng.normal(0, 2, (5, 2))
    matrix = similarity(seen)
    a, b = rng.normal(0, 1e-3, 2)
    other = matrix + np.array([[a, -b, rng.normal(0, 0.1)], [b, a, rng.normal(0, 0.1)]])
    best, error = (((applied(fit, seen) - TEMPLATE) ** 2).sum() for fit in (matrix, other))
    assert best <= error


def test_a_mirror_images_landmarks_are_a_faces_and_mirrored_again_the_first():
    points = np.stack([PROFILE, PROFILE + 3])
    turned = mirrored(points, np.array([[100], [80]]))
    assert turned[0, 0].tolist() == [100 - 33, 30] and turned[1, 4].tolist() == [80 - 34, 74]
    assert np.array_equal(mirrored(turned, np.array([[100], [80]])), points)
    similarity(mirrored(TEMPLATE, 112.0))


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_a_face_inside_its_square(name):
    side, template = TEMPLATES[name]
    assert ((template > 0) & (template < side)).all()
    similarity(template)
    similarity(TEMPLATE, template)
    assert np.abs(mirrored(template, float(side)) - template).max() < 0.02 * side


@pytest.mark.parametrize(
    ("landmarks", "message"),
    [
        (np.full((5, 2), 7.0), "one line"),
        (TEMPLATE * [1, 0] + [0, 5], "one line"),
        (np.array([[1.0, 1], [2, 2], [3, 3], [4, 4.01], [5, 5]]), "one line"),
        (np.where(np.arange(10).reshape(5, 2) == 3, np.nan, TEMPLATE), "not a number"),
        (np.where(np.arange(10).reshape(5, 2) == 3, np.inf, TEMPLATE), "not a number"),
        (TEMPLATE * [-1, 1] + [112, 0], "not those of a face"),
        (TEMPLATE[[1, 0, 2, 4, 3]], "not those of a face"),
    ],
)
def test_landmarks_that_say_nothing_are_refused(landmarks, message):
    with pytest.raises(LandmarkError, match=message):
        similarity(landmarks)


def test_a_profile_and_an_upturned_face_are_faces():
    similarity(PROFILE)
    similarity(112 - TEMPLATE)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1), st.booleans())
def test_a_tight_crop_holds_the_landmarks(height, width, seed, outside):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-0.3 * outside, 1 + 0.3 * outside, (5, 2)) * [width, height]
    left, top, right, bottom = tight_crop(points, height, width, rng)
    assert 0 <= left < right <= width and 0 <= top < bottom <= height
    inside = ((points >= 0) & (points < [width, height])).all(axis=1)
    held = ((points >= [left, top]) & (points < [right, bottom])).all(axis=1)
    assert (held == inside).all()


def test_crops_reach_from_the_whole_picture_to_the_landmarks():
    rng = np.random.default_rng(0)
    points = np.array([[10.5, 20.0], [30.0, 20.5], [20, 30], [12, 40.9], [28, 40]])
    crops = np.array([tight_crop(points, 50, 40, rng) for _ in range(5000)])
    assert crops.min(axis=0).tolist() == [0, 0, 31, 41]
    assert crops.max(axis=0).tolist() == [10, 20, 40, 50]
    assert np.allclose(crops.mean(axis=0), [5, 10, 35.5, 45.5], atol=0.3)
    again = np.random.default_rng(0)
    assert crops[:3].tolist() == [list(tight_crop(points, 50, 40, again)) for _ in range(3)]
    with pytest.raises(LandmarkError):
        tight_crop(points * np.nan, 50, 40, rng)
