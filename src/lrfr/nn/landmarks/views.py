"""What training sees of a face: another crop of it, turned, perhaps mirrored, and small."""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from lrfr.core.resampling import bicubic_to_height
from lrfr.nn.batches.low_resolution import draw_height

CUT = 0.2  # of the width or height: the most that a tight crop loses at one edge
SHIFT, SCALE = 1 / 16, 0.08  # of another crop, as of the faces that recognition is trained on
TILT = 15.0  # degrees, either way
MIRRORED = [1, 0, 2, 4, 3]  # the points' order in the mirror image: left is right there


def draw_view(rng: np.random.Generator, size: tuple[int, int], tight: bool) -> tuple[np.ndarray, tuple[int, int]]:
    """Draws a crop of an image.

    Args:
        rng: draws it.
        size: height and width of the image, px.
        tight: each edge loses up to a fifth of the image; else the crop is shifted and scaled a little.

    Returns:
        The matrix (2, 3) that takes a point (x, y, 1) of the image to the crop, and the crop's height and width, px.
        Its determinant is negative where the crop is mirrored. Edges of the crop may lie outside the image.
    """
    whole = np.array(size[::-1], float)
    if tight:
        start, end = rng.uniform(0, CUT, 2) * whole, whole * (1 - rng.uniform(0, CUT, 2))
    else:
        centre, side = whole * (0.5 + rng.uniform(-SHIFT, SHIFT, 2)), whole / rng.uniform(1 - SCALE, 1 + SCALE)
        start, end = centre - side / 2, centre + side / 2
    angle, mirrored = math.radians(rng.uniform(-TILT, TILT)), rng.random() < 0.5
    crop = np.maximum(np.rint(end - start), 1)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    linear = np.diag(crop / (end - start) * [-1 if mirrored else 1, 1]) @ turn
    offset = crop / 2 - linear @ ((start + end) / 2)
    return np.hstack([linear, offset[:, None]]), (int(crop[1]), int(crop[0]))


def seen(
    image: np.ndarray, points: np.ndarray, matrix: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """A crop of an image (H, W, 3), uint8, and its points (5, 2), px; what lies outside repeats the edge.

    Args:
        image: from which the crop is taken.
        points: in the image, px.
        matrix: (2, 3), from the image to the crop, as :func:`draw_view` draws it.
        size: height and width of the crop, px.
    """
    shifted = matrix.copy()
    shifted[:, 2] += 0.5 * (matrix[:, 0] + matrix[:, 1]) - 0.5  # OpenCV counts from the centre of the first pixel
    crop = cv2.warpAffine(image, shifted, size[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    moved = points @ matrix[:, :2].T + matrix[:, 2]
    return crop, moved[MIRRORED] if np.linalg.det(matrix[:, :2]) < 0 else moved


def view(
    image: np.ndarray, points: np.ndarray, rng: np.random.Generator, heights: Sequence[int], tight: float
) -> tuple[np.ndarray, np.ndarray]:
    """One training view of a face.

    Args:
        image: (H, W, 3) uint8, as captured.
        points: (5, 2) in it, px.
        rng: draws everything.
        heights: lowest and highest height that it is shrunk to, px; a crop that is no higher stays.
        tight: the share (0..1) of tight crops.

    Returns:
        The view, (h, w, 3) uint8, and the points (5, 2) in it, px.
    """
    matrix, size = draw_view(rng, (image.shape[0], image.shape[1]), rng.random() < tight)
    crop, moved = seen(image, points, matrix, size)
    height = draw_height(rng, *heights)
    if height >= len(crop):
        return crop, moved
    small = bicubic_to_height(crop, height)
    return small, moved * [small.shape[1] / crop.shape[1], small.shape[0] / crop.shape[0]]
