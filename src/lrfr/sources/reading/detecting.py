"""The faces that the detector finds in a photo, cut out."""

from typing import Any

from lrfr.decoding import decode
from lrfr.detector import detect_faces
from lrfr.errors import ImageError
from lrfr.sources.reading.cutting import cut


def faces_in(photo: tuple[str, bytes], min_face: int, thresholds: list[float]) -> list[dict[str, Any]] | None:
    """The columns of the face table that one photo's pixels decide; None when it cannot be read.

    Args:
        photo: its id and its bytes.
        min_face: px, the smallest face that is looked for.
        thresholds: see :class:`lrfr.detector.Detect`.
    """
    photo_id, image = photo
    try:
        pixels = decode(image, photo_id)
    except ImageError:
        return None
    detections = detect_faces(pixels, min_face, thresholds)
    rows = [cut(pixels, photo_id, found.box, found.landmarks, found.score) for found in detections]
    return [row for row in rows if row is not None]
