"""Faces as training sees them, for a network that takes aligned faces."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lrfr.core.alignment import AS_CROPPED, tight_crop
from lrfr.errors import LandmarkError, ParameterError
from lrfr.nn.framing import aligned_or_centred


class Alignment(NamedTuple):
    """How training faces are aligned.

    Attributes:
        presentation: the template's name, see :mod:`lrfr.core.alignment`.
        located: the table of their landmarks, as the stage locate-landmarks wrote it.
        tight_crops: how many of them are cut to a random tight crop before, 0..1, so that what the crop cut off is
            black, as is where tightly cropped faces are aligned (RIFR, on TinyFace).
    """

    presentation: str
    located: Path
    tight_crops: float = 0.0


def alignment(presentation: str, located: Path, tight_crops: float) -> Alignment | None:
    """How training faces are aligned for a network; None where it takes them as cropped."""
    return None if presentation == AS_CROPPED else Alignment(presentation, located, tight_crops)


def check_tight_crops(presentation: str, tight_crops: float, where: str) -> None:
    """Raises a ParameterError where ``tight_crops`` would not be heeded; ``where`` names the training."""
    if presentation == AS_CROPPED and tight_crops:
        what = "faces are presented as they were cropped, and tight_crops is about faces that are aligned"
        remedy = "leave tight_crops out, or align the faces: `presentation: arcface_112`"
        raise ParameterError(what, where=f"{where}.tight_crops", remedy=remedy)


@dataclass(frozen=True)
class AlignedFaces:
    """Aligns training faces, before they are degraded and resized.

    Attributes:
        presentation: the template's name.
        landmarks: (N, 5, 2) of the faces, px; NaN where nobody found them: such a face is centred by a fixed crop.
        tight_crops: how many of them are cropped tightly, 0..1.
    """

    presentation: str
    landmarks: np.ndarray
    tight_crops: float = 0.0

    def presented(self, image: np.ndarray, row: int) -> np.ndarray:
        """The RGB image (H, W, 3), uint8, of a row, as the deployed model is given it."""
        return aligned_or_centred(image, self.landmarks[row], self.presentation)[0]

    def __call__(self, image: np.ndarray, row: int, rng: np.random.Generator) -> np.ndarray:
        """The same, of some of them after a tight crop."""
        if rng.random() >= self.tight_crops:
            return self.presented(image, row)
        points = self.landmarks[row]
        try:
            left, top, right, bottom = tight_crop(points, len(image), image.shape[1], rng)
        except LandmarkError:
            return self.presented(image, row)
        cropped = image[top:bottom, left:right]
        face, found = aligned_or_centred(cropped, points - [left, top], self.presentation)
        return face if found else self.presented(image, row)  # landmarks of nothing say nothing of a crop either


def landmarks_of(told: Sequence[Sequence[float] | None]) -> np.ndarray:
    """A face table's landmarks, ten numbers or None a row, as points (N, 5, 2), float64, px; NaN where it has none."""
    nothing = [np.nan] * 10
    return np.array([nothing if points is None else points for points in told], float).reshape(-1, 5, 2)
