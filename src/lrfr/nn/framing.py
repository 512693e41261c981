"""One face as a model wants it: aligned to a template, centred where nobody found its landmarks, or its middle.

Nothing here needs torch: whoever has a release alone presents faces by these functions too.
"""

import cv2
import numpy as np

from lrfr.core.alignment import MIDDLE, TEMPLATES
from lrfr.core.resampling import bilinear
from lrfr.errors import LandmarkError
from lrfr.nn.alignment import align

RESIZED, KEPT = 256, 224  # px, of the presentation of the middle


def aligned_or_centred(image: np.ndarray, points: np.ndarray, presentation: str) -> tuple[np.ndarray, bool]:
    """A face (H, W, 3), uint8, aligned to a template by its landmarks (5, 2), px, and whether they could be used; where
    they could not, the face centred by a fixed crop."""
    if presentation == MIDDLE:
        return middle(image), True
    try:
        return align(image, points, presentation), True
    except LandmarkError:
        return centred(image, TEMPLATES[presentation][0]), False


def centred(image: np.ndarray, side: int) -> np.ndarray:
    """A face (H, W, 3), uint8, whose landmarks nobody found: the whole crop, as large as fits a square of ``side`` px,
    in its middle; black around it, as around an aligned face."""
    scale = side / max(image.shape[:2])
    height, width = (min(max(round(length * scale), 1), side) for length in image.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    square = np.zeros((side, side, 3), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = cv2.resize(image, (width, height), interpolation=method)
    return square


def middle(image: np.ndarray) -> np.ndarray:
    """The middle of a face (H, W, 3), uint8: brought to a shortest side of 256 px, of which 224 x 224 px stay.

    So T-C's networks are tested (Massoli, Amato & Falchi, 2020, section 5), with Pillow's bilinear resize,
    the longer side cut off to whole pixels.
    """
    height, width = image.shape[:2]
    shortest = min(height, width)
    resized = bilinear(image, height * RESIZED // shortest, width * RESIZED // shortest)
    top, left = (round((side - KEPT) / 2) for side in resized.shape[:2])
    return np.ascontiguousarray(resized[top : top + KEPT, left : left + KEPT])
