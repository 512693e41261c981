"""The faces of a photo, found and cut out as those were by which the release was trained and calibrated."""

from dataclasses import dataclass

import numpy as np

from lrfr.detector import detect_faces
from lrfr.release.calibration import Detector
from lrfr.sources.reading.cutting import cut

SMALLEST = 12  # px, a side of a photo: MTCNN looks for no smaller face


@dataclass(frozen=True)
class FoundFace:
    """A face of a photo.

    Attributes:
        box: left, top, width, height in the photo, whole px, inside of it.
        pixels: (height, width, 3) RGB, uint8.
        picture: the same as PNG.
        face_id: a hash of these pixels.
        confidence: the detector's, 0..1.
    """

    box: tuple[int, int, int, int]
    pixels: np.ndarray
    picture: bytes
    face_id: str
    confidence: float


def find_faces(photo: np.ndarray, detector: Detector) -> list[FoundFace]:
    """The faces of a photo (H, W, 3), RGB, uint8, from left to right."""
    faces = []
    for found in (
        detect_faces(photo, detector.min_face, detector.thresholds) if min(photo.shape[:2]) >= SMALLEST else ()
    ):
        row = cut(photo, "", found.box, None, found.score)
        if row is not None:
            left, top, width, height = row["box"]
            pixels = photo[top : top + height, left : left + width]
            box = (left, top, width, height)
            faces.append(FoundFace(box, pixels, row["image"], row["face_id"], float(found.score)))
    return sorted(faces, key=lambda face: face.box)
