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

from lrfr.decoding import orientation
from lrfr.errors import ImageError
from lrfr.faces import FACE_SCHEMA, PHOTO_SCHEMA, decode, encode_png, face_id
from lrfr.parallel import cores
from lrfr.progress import track
from lrfr.sources.reading.list_checks import named

POINTS = 5  # eyes, nose, mouth corners
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
        entry: what the list calls it, such as ``annotation 7``; for what is excluded.
    """

    box: Sequence[float]
    identity: str | None = None
    landmarks: Sequence[float] | None = None
    score: float | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    fault: str | None = None
    entry: str | None = None


@dataclass(frozen=True)
class Listed:
    """The faces of one photo, as somebody else's list has them, and the photo's width and height, px, if it tells."""

    boxes: Sequence[Box]
    size: tuple[int, int] | None = None


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


def cut_photos(photos: Mapping[str, tuple[Path, Listed]], source: str, collection: str, keep_photos: bool) -> Cut:
    """Cuts the listed faces out of photos, with progress.

    Args:
        photos: each photo's file and what its list says, by photo_id.
        source: goes into every row.
        collection: native or auxiliary.
        keep_photos: whether the photos that gave a face are handed over too; they take the most memory.

    Returns:
        Faces, photos and what is excluded: a photo that cannot be read (the reasons of ``ImageError``, or ``absent``),
        has no box (``no_face``), or is not as large as its list says, so that its boxes are of another copy
        (``other_size``) or of the pixels before EXIF turns them upright (``exif_turned``); a box without an area
        (``no_area``), outside of the photo (``outside_photo``), that stands twice (``duplicate_box``), or whose list
        speaks against it.
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
    photo: tuple[str, tuple[Path, Listed]], source: str, collection: str, keep_photo: bool
) -> tuple[list[Row], list[Row], list[Row]]:
    """The face rows, the photo row, and what is excluded, of one photo."""
    photo_id, (path, listed) = photo
    try:
        image = path.read_bytes()
        pixels = decode(image, photo_id)
    except OSError:
        return [], [], [{"where": photo_id, "reason": "absent"}]
    except ImageError as error:
        return [], [], [{"where": photo_id, "reason": error.reason}]
    if fault := _size_fault(listed.size, image, pixels):
        sizes = "{} x {} px in the list, the photo has {} x {}".format(*(listed.size or ()), *pixels.shape[1::-1])
        return [], [], [{"where": f"{photo_id}: {sizes}", "reason": fault}]
    faces, excluded = {}, []
    for box in listed.boxes:
        row, reason = _cut_box(pixels, photo_id, box)
        if row is None or row["face_id"] in faces:
            sides = f"box {', '.join(f'{side:g}' for side in box.box)}"
            where = ": ".join(part for part in (photo_id, box.entry, sides) if part)
            excluded.append({"where": where, "reason": reason or "duplicate_box"})
            continue
        attributes = {"collection": collection, "name": photo_id, **box.attributes}
        identity = None if box.identity is None else named(box.identity, photo_id)
        origin = {"source": source, "photo_id": photo_id, "identity": identity}
        faces[row["face_id"]] = row | origin | {"attributes": list(attributes.items())}
    if not listed.boxes:
        excluded.append({"where": photo_id, "reason": "no_face"})
    shape = {"width": pixels.shape[1], "height": pixels.shape[0]}
    row = {"photo_id": photo_id, "source": source, "collection": collection, "image": image} | shape
    return list(faces.values()), [row] if faces and keep_photo else [], excluded


def _size_fault(size: tuple[int, int] | None, image: bytes, pixels: np.ndarray) -> str | None:
    """Why boxes of a photo of ``size`` cannot be of these upright pixels (H, W, 3); None where they can."""
    upright = pixels.shape[1::-1]
    turn = 1 if size is None else orientation(image)
    stored = upright[::-1] if turn >= 5 else upright
    if turn != 1 and size == stored:  # also where turning keeps the size: then nobody knows what the boxes are of
        return "exif_turned"
    return None if size in (None, upright) else "other_size"


def _cut_box(pixels: np.ndarray, photo_id: str, box: Box) -> tuple[Row | None, str | None]:
    """The row of one box, or why there is none."""
    if box.fault is not None:
        return None, box.fault
    if not np.isfinite(box.box).all() or min(box.box[2:]) <= 0:
        return None, "no_area"
    row = cut(pixels, photo_id, box.box, box.landmarks, box.score)
    return row, None if row else "outside_photo"
