"""Faces as a model wants them presented: as they were cropped, or aligned to a template by their landmarks."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import cv2
import numpy as np

from lrfr.core.alignment import MIDDLE, TEMPLATES, is_aligned
from lrfr.core.resampling import bilinear
from lrfr.errors import LandmarkError
from lrfr.nn.alignment import align
from lrfr.nn.landmarks.network import CNN6
from lrfr.nn.landmarks.prediction import predict
from lrfr.parallel import cores

RESIZED, KEPT = 256, 224  # px, of the presentation of the middle


class Presenter:
    """Presents faces to a model.

    Args:
        presentation: the model's, ``as_cropped``, ``middle_224`` or the name of a template.
        landmarks: the network that finds landmarks, for a template.
    """

    def __init__(self, presentation: str, landmarks: CNN6 | None) -> None:
        self.presentation, self._landmarks = presentation, landmarks

    @property
    def aligns(self) -> bool:
        """Whether faces are aligned."""
        return is_aligned(self.presentation)

    def __call__(
        self, images: Sequence[np.ndarray], known: np.ndarray | None = None
    ) -> tuple[list[np.ndarray], np.ndarray]:
        """Presents faces.

        Args:
            images: (H, W, 3) uint8 each, RGB, of any size.
            known: (N, 5, 2) landmarks, px, where they are known; NaN where they are to be found.

        Returns:
            The faces, and whether each could be aligned (N,) bool; one that could not is centred by a fixed crop.
        """
        if self.presentation == MIDDLE:
            return [middle(image) for image in images], np.ones(len(images), bool)
        if not self.aligns or not images:
            return list(images), np.ones(len(images), bool)
        points = np.full((len(images), 5, 2), np.nan) if known is None else known.astype(np.float64)
        unknown = np.flatnonzero(np.isnan(points).any(axis=(1, 2)))
        if len(unknown) and self._landmarks is not None:
            points[unknown] = predict(self._landmarks, [images[row] for row in unknown.tolist()])
        with ThreadPoolExecutor(cores()) as pool:
            made = list(pool.map(partial(aligned_or_centred, presentation=self.presentation), images, points))
        return [face for face, _ in made], np.array([found for _, found in made], bool)


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
