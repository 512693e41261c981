"""The source photo around a face, with its box drawn."""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from lrfr.decoding import decode
from lrfr.errors import ImageError
from lrfr.faces import PHOTO_SCHEMA, read_table
from lrfr.images import Images

SURROUNDINGS = 8  # times the face's longer side: enough for a body and its neighbours
LEAST = 120  # px of the photo
SHOWN = 640  # px, the longer side of what is shown


class Photos:
    """The photos that faces were cut from; no ``rows`` where the source brought its faces already cut."""

    def __init__(self, path: Path) -> None:
        self.rows: dict[str, int] = {}
        if path.is_file():
            images = Images(path)  # a photo table may be larger than memory
            ids = read_table(path, PHOTO_SCHEMA, ["photo_id"])["photo_id"].to_pylist()
            self.rows = {photo_id: row for row, photo_id in enumerate(ids)}
            self._encoded = lru_cache(maxsize=16)(images.encoded)

    def around(self, photo_id: str | None, box: list[float] | None) -> bytes:
        """The JPEG of a photo around a box (x, y, width, height; px), the box drawn.

        Raises:
            ImageError: there is no such photo or box, or the photo cannot be read.
        """
        if photo_id is None or box is None or photo_id not in self.rows:
            what = "there is no source photo of this face; its source brought it already cut"
            raise ImageError(what, where=photo_id)
        pixels = decode(self._encoded(self.rows[photo_id]), photo_id)
        return cv2.imencode(".jpg", _view(pixels, box)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def _view(pixels: np.ndarray, box: list[float]) -> np.ndarray:
    """The surroundings of a box in a photo (H, W, 3), enlarged or shrunk to ``SHOWN`` px."""
    x, y, width, height = box
    reach = max(SURROUNDINGS * max(width, height), LEAST) / 2
    center = np.array([x + width / 2, y + height / 2])
    low = np.clip(np.floor(center - reach), 0, None).astype(int)
    high = np.minimum(np.ceil(center + reach), pixels.shape[1::-1]).astype(int)
    region = pixels[low[1] : high[1], low[0] : high[0]]
    if not region.size:
        raise ImageError("the face's box lies outside of its photo", where=f"box {box}")
    scale = SHOWN / max(region.shape[:2])
    view = cv2.resize(region, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
    corners = ((np.array([[x, y], [x + width, y + height]]) - low) * scale).round().astype(int)
    for grow, colour in ((2, (0, 0, 0)), (1, (255, 255, 255))):  # to be seen on light and on dark
        cv2.rectangle(view, corners[0] - grow, corners[1] + grow, colour, 1)
    return view
