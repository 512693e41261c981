"""Cutting faces out of photos at their boxes, as the detector does, or somebody else's detector did."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from lrfr.errors import ImageError
from lrfr.faces import FACE_SCHEMA, PHOTO_SCHEMA, decode, encode_png, face_id
from lrfr.parallel import cores
from lrfr.progress import track

BATCH = 256  # photos whose faces wait as Python objects before they are packed

Row = dict[str, Any]


@dataclass(frozen=True)
class Box:
    """One face of a photo, as somebody else's list has it.

    Attributes:
        box: x, y, width, height in the photo, px.
        identity: None where nobody named it.
        landmarks: five points x, y in the photo, px: eyes, nose, mouth corners.
        score: the detector's confidence.
        attributes: what else the list says.
        fault: why the list itself says that this is no face to use.
    """

    box: Sequence[float]
    identity: str | None = None
    landmarks: Sequence[float] | None = None
    score: float | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    fault: str | None = None


@dataclass(frozen=True)
class Cut:
    """The tables of photos whose faces were cut: the faces, the photos that gave one, and rows of what is excluded."""

    faces: pa.Table
    photos: pa.Table
    excluded: list[Row]


def cut(
    pixels: np.ndarray,
    photo_id: str,
    box: Sequence[float],
    landmarks: Sequence[float] | np.ndarray | None,
    score: float | None,
) -> Row | None:
    """The columns of the face table that a photo's pixels (H, W, 3) and a box decide; None when no pixel is inside.

    Args:
        pixels: RGB, uint8.
        photo_id: names the photo.
        box: x, y, width, height in the photo, px; rounded, and clipped to the photo.
        landmarks: (10,) x, y in the photo, px.
        score: the detector's confidence, 0..1.
    """
    x, y, width, height = box
    corners = np.clip(np.rint([x, y, x + width, y + height]), 0, np.tile(pixels.shape[1::-1], 2))
    left, top, right, bottom = corners.astype(int).tolist()
    crop = pixels[top:bottom, left:right]
    if not crop.size:
        return None
    inside = [left, top, right - left, bottom - top]
    return {
        "face_id": face_id(crop, f"{photo_id}:{','.join(map(str, inside))}"),
        "image": encode_png(crop),
        "width": inside[2],
        "height": inside[3],
        "box": inside,
        "landmarks": None if landmarks is None else np.asarray(landmarks) - np.tile((left, top), 5),
        "score": score,
    }


def cut_photos(
    photos: Mapping[str, tuple[Path, Sequence[Box]]], source: str, collection: str, keep_photos: bool
) -> Cut:
    """Cuts the listed faces out of photos, with progress.

    Args:
        photos: each photo's file and boxes, by photo_id.
        source: goes into every row.
        collection: native or auxiliary.
        keep_photos: whether the photos that gave a face are handed over too; they take the most memory.

    Returns:
        Faces, photos and what is excluded: a photo that cannot be read (the reasons of ``ImageError``, or ``absent``)
        or has no box (``no_face``); a box without an area (``no_area``), outside of the photo (``outside_photo``), that
        stands twice (``duplicate_box``), or whose list speaks against it.
    """
    packed = Cut(FACE_SCHEMA.empty_table(), PHOTO_SCHEMA.empty_table(), [])
    work = partial(_cut_photo, source=source, collection=collection, keep_photo=keep_photos)
    remaining = iter(track(photos.items(), "cutting faces", len(photos), "photo"))
    with ThreadPoolExecutor(cores()) as pool:
        while batch := list(islice(remaining, BATCH)):
            packed = _pack(packed, list(pool.map(work, batch)))
    return packed


def _pack(packed: Cut, results: list[tuple[list[Row], list[Row], list[Row]]]) -> Cut:
    """The tables, with the rows of some more photos."""
    faces, photos, excluded = ([row for result in results for row in result[part]] for part in range(3))
    return Cut(
        pa.concat_tables([packed.faces, pa.Table.from_pylist(faces, FACE_SCHEMA)]),
        pa.concat_tables([packed.photos, pa.Table.from_pylist(photos, PHOTO_SCHEMA)]),
        packed.excluded + excluded,
    )


def _cut_photo(
    photo: tuple[str, tuple[Path, Sequence[Box]]], source: str, collection: str, keep_photo: bool
) -> tuple[list[Row], list[Row], list[Row]]:
    """The face rows, the photo row, and what is excluded, of one photo."""
    photo_id, (path, boxes) = photo
    try:
        image = path.read_bytes()
        pixels = decode(image, photo_id)
    except OSError:
        return [], [], [{"where": photo_id, "reason": "absent"}]
    except ImageError as error:
        return [], [], [{"where": photo_id, "reason": error.reason}]
    faces, excluded = {}, []
    for box in boxes:
        row, reason = _cut_box(pixels, photo_id, box)
        if row is None or row["face_id"] in faces:
            where = f"{photo_id}: box {', '.join(f'{side:g}' for side in box.box)}"
            excluded.append({"where": where, "reason": reason or "duplicate_box"})
            continue
        attributes = {"collection": collection, "name": photo_id, **box.attributes}
        origin = {"source": source, "photo_id": photo_id, "identity": box.identity}
        faces[row["face_id"]] = row | origin | {"attributes": list(attributes.items())}
    if not boxes:
        excluded.append({"where": photo_id, "reason": "no_face"})
    shape = {"width": pixels.shape[1], "height": pixels.shape[0]}
    row = {"photo_id": photo_id, "source": source, "collection": collection, "image": image} | shape
    return list(faces.values()), [row] if faces and keep_photo else [], excluded


def _cut_box(pixels: np.ndarray, photo_id: str, box: Box) -> tuple[Row | None, str | None]:
    """The row of one box, or why there is none."""
    if box.fault is not None:
        return None, box.fault
    if not np.isfinite(box.box).all() or min(box.box[2:]) <= 0:
        return None, "no_area"
    row = cut(pixels, photo_id, box.box, box.landmarks, box.score)
    return row, None if row else "outside_photo"
