"""The face that a picture of Labeled Faces in the Wild is about: the one in its middle."""

import numpy as np

from lrfr.core.boxes import match
from lrfr.detector import Detection, detect_faces
from lrfr.sources.reading.lfw_pictures import HEAD

# MTCNN's, as for the portraits that a backbone learns from
MIN_FACE = 60
THRESHOLDS = [0.6, 0.7, 0.3]
OVERLAP = 0.2


def middle_face(pixels: np.ndarray) -> Detection | None:
    """The face in the middle of a picture (H, W, 3), RGB, uint8, as MTCNN finds it; None where there is none."""
    head = np.array(HEAD) * np.tile(pixels.shape[1::-1], 2)
    detections = detect_faces(pixels, MIN_FACE, THRESHOLDS)
    middle = match(np.reshape([face.box for face in detections], (-1, 4)), head[None], OVERLAP)
    return next((detections[index] for index, _ in middle), None)
