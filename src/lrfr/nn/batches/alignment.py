"""Faces that training sees aligned by the landmarks that their table has."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from lrfr.config import Section
from lrfr.core.alignment import tight_crop
from lrfr.errors import LandmarkError
from lrfr.nn.alignment import align


class Alignment(Section):
    """How often training sees a face aligned.

    With a share of 1 the network is one for aligned faces, and validation faces are aligned too.

    Attributes:
        share: how many of the faces are aligned, 0..1.
        tight: how many of these are cut to a random tight crop before, 0..1, so that what the crop cut off is black, as
            is where tightly cropped faces are aligned (RIFR, on TinyFace).
    """

    share: float = Field(gt=0, le=1)
    tight: float = Field(default=0, ge=0, le=1)


@dataclass(frozen=True)
class RandomAlignment:
    """What happens to a face in training, before it is degraded and resized.

    Attributes:
        alignment: how often.
        landmarks: (N, 5, 2) of the faces, px; NaN where a face has none, which then stays as it is.
    """

    alignment: Alignment
    landmarks: np.ndarray

    def __call__(self, image: np.ndarray, row: int, rng: np.random.Generator) -> np.ndarray:
        """The RGB image (H, W, 3), uint8, of a row: as it is, or aligned (112, 112, 3)."""
        if rng.random() >= self.alignment.share:
            return image
        points, is_tight = self.landmarks[row], rng.random() < self.alignment.tight
        try:
            if not is_tight:
                return align(image, points)
            left, top, right, bottom = tight_crop(points, len(image), image.shape[1], rng)
            return align(image[top:bottom, left:right], points - [left, top])
        except LandmarkError:
            return image


def aligned_if_possible(image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The image aligned by landmarks (5, 2), or as it is where they do not say where the face is."""
    try:
        return align(image, landmarks)
    except LandmarkError:
        return image


def landmarks_of(told: Sequence[Sequence[float] | None]) -> np.ndarray:
    """A face table's landmarks, ten numbers or None a row, as points (N, 5, 2), float64, px; NaN where it has none."""
    nothing = [np.nan] * 10
    return np.array([nothing if points is None else points for points in told], float).reshape(-1, 5, 2)
