"""A face, warped so that its landmarks lie where the network expects them."""

import cv2
import numpy as np

from lrfr.core.alignment import TEMPLATES, similarity
from lrfr.errors import LandmarkError

HALF = np.array([0.5, 0.5])  # OpenCV counts from the first pixel's centre, landmarks from its corner


def align(image: np.ndarray, landmarks: np.ndarray, presentation: str = "arcface_112") -> np.ndarray:
    """Aligns a face to a template, as insightface's ``norm_crop``: bilinear, and black outside of the picture.

    Unlike there, a face that is larger than the aligned one is shrunk first, so that nothing aliases.

    Args:
        image: RGB (H, W, 3), uint8.
        landmarks: (5, 2) x, y of eyes, nose and mouth corners, px from the image's upper left corner.
        presentation: the template's name in :data:`lrfr.core.alignment.TEMPLATES`.

    Returns:
        RGB, uint8, a square of the template's side.

    Raises:
        LandmarkError: the landmarks do not say where the face is.
    """
    if not ((landmarks >= 0) & (landmarks <= image.shape[1::-1])).all(axis=1).any():
        raise LandmarkError("no landmark lies in the picture")
    size, template = TEMPLATES[presentation]
    matrix = similarity(landmarks, template)
    scale = float(np.hypot(*matrix[:, 0]))
    if scale < 1:
        height, width = (max(1, round(side * scale)) for side in image.shape[:2])
        landmarks = landmarks * [width / image.shape[1], height / image.shape[0]]
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        matrix = similarity(landmarks, template)
    shift = matrix[:, :2] @ HALF + matrix[:, 2] - HALF
    return cv2.warpAffine(image, np.column_stack([matrix[:, :2], shift]), (size, size), flags=cv2.INTER_LINEAR)
