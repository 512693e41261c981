"""detect: photos become face crops with landmarks, and take their identity from the source's tags."""

import csv
import io
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from lrfr import paths
from lrfr.config import Detect, read_params
from lrfr.core.boxes import match
from lrfr.core.detection import recall_by_height
from lrfr.detector import detect_faces
from lrfr.errors import BenchmarkError, ImageError
from lrfr.faces import (
    FACE_SCHEMA,
    PHOTO_SCHEMA,
    TAG_SCHEMA,
    TRUTH_SCHEMA,
    decode,
    encode_png,
    face_id,
    read_table,
    write_faces,
)
from lrfr.files import write_json, write_text
from lrfr.parallel import spread

Row = dict[str, Any]
Boxes = dict[str, np.ndarray]  # by photo_id


@dataclass
class Found:
    """What came of one collection's photos."""

    photo_ids: set[str]
    faces: list[Row] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    without_face: list[str] = field(default_factory=list)


def run() -> None:
    """Detects the faces of every photo, native and auxiliary, and measures the detector where the truth is known.

    Of an auxiliary photo the face that its tag names is kept; of a native one every detection. A tag, a box around
    the head, names the detection that it overlaps most. A photo without a face, or that cannot be read, is counted
    and listed.

    Raises:
        BenchmarkError: a collection has no readable photo, or no face in any of them.
    """
    options = read_params().detect
    photos = read_table(paths.PHOTOS, PHOTO_SCHEMA)
    tags = read_table(paths.TAGS, TAG_SCHEMA)
    native = _detect("native", photos, tags, options)
    auxiliary = _detect("auxiliary", photos, tags, options)

    native_table = pa.Table.from_pylist(native.faces, FACE_SCHEMA)
    write_faces(native_table, paths.DETECTED_NATIVE)
    write_faces(pa.Table.from_pylist(auxiliary.faces, FACE_SCHEMA), paths.DETECTED_AUXILIARY)
    write_text(paths.WITHOUT_FACE, _listed(native, auxiliary))
    truth = _boxes(read_table(paths.TRUTH, TRUTH_SCHEMA))
    truth = {photo_id: boxes for photo_id, boxes in truth.items() if photo_id in native.photo_ids}
    counts = {
        "native": len(native.photo_ids),
        "auxiliary": len(auxiliary.photo_ids),
        "without_face": len(native.without_face + auxiliary.without_face),
        "unreadable": len(native.unreadable + auxiliary.unreadable),
    }
    faces = {"native": len(native.faces), "auxiliary": len(auxiliary.faces)}
    by_height = recall_by_height(_boxes(native_table), truth) if truth else []
    write_json(paths.DETECTION_METRICS, {"photos": counts, "faces": faces, "by_height": by_height})


def _detect(collection: str, photos: pa.Table, tags: pa.Table, options: Detect) -> Found:
    """The faces of one collection, in the order of its photos."""
    rows = [row for row in photos.to_pylist() if row["collection"] == collection]
    boxes, names = _boxes(tags), _names(tags)
    is_auxiliary = collection == "auxiliary"
    min_face = options.min_face_auxiliary if is_auxiliary else options.min_face_native
    find = partial(_faces_of, min_face=min_face, thresholds=options.thresholds)
    found = Found({row["photo_id"] for row in rows})
    for photo, faces in zip(rows, spread(find, rows, f"detecting {collection}", "photo"), strict=True):
        photo_id = photo["photo_id"]
        if faces is None:
            found.unreadable.append(photo_id)
            continue
        detected = np.reshape([face["box"] for face in faces], (-1, 4))
        named = dict(match(detected, boxes.get(photo_id, np.empty((0, 4))), options.tag_overlap))
        kept = [index for index in range(len(faces)) if index in named or not is_auxiliary]
        for index in kept:
            identity = names[photo_id][named[index]] if index in named else None
            found.faces.append(faces[index] | _origin(photo, identity))
        if not kept:
            found.without_face.append(photo_id)
    _report(collection, found)
    return found


def _origin(photo: Row, identity: str | None) -> Row:
    """What a face takes over from its photo."""
    attributes = [("collection", photo["collection"])]
    return {"source": photo["source"], "photo_id": photo["photo_id"], "identity": identity, "attributes": attributes}


def _report(collection: str, found: Found) -> None:
    """Says what was found, and stops when that is nothing."""
    photos = len(found.photo_ids)
    for what, photo_ids in (("cannot be read", found.unreadable), ("have no face", found.without_face)):
        if photo_ids:
            listed = ", ".join(photo_ids[:5]) + (", ..." if len(photo_ids) > 5 else "")
            print(f"{collection}: {len(photo_ids)} of {photos} photos {what}: {listed} (all in {paths.WITHOUT_FACE})")
    print(f"{collection}: {len(found.faces)} faces in {photos} photos")
    if not found.faces:
        what = f"no face was found in any of the {photos} {collection} photos; {len(found.unreadable)} cannot be read"
        remedy = "check that the source's photos show faces, or lower detect.thresholds and the min_face sizes"
        raise BenchmarkError(what, where=paths.PHOTOS, remedy=remedy)


def _listed(native: Found, auxiliary: Found) -> str:
    """The CSV of the photos that gave no face, with the reason."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["photo_id", "collection", "reason"])
    for collection, found in (("native", native), ("auxiliary", auxiliary)):
        writer.writerows([photo_id, collection, "unreadable"] for photo_id in found.unreadable)
        writer.writerows([photo_id, collection, "no_face"] for photo_id in found.without_face)
    return text.getvalue()


def _faces_of(photo: Row, min_face: int, thresholds: list[float]) -> list[Row] | None:
    """The columns of the face table that one photo's pixels decide; None when it cannot be read."""
    photo_id = photo["photo_id"]
    try:
        pixels = decode(photo["image"], photo_id)
    except ImageError:
        return None
    rows = []
    for detection in detect_faces(pixels, min_face, thresholds):
        x, y, width, height = detection.box
        corners = np.clip(np.rint([x, y, x + width, y + height]), 0, np.tile(pixels.shape[1::-1], 2))
        left, top, right, bottom = corners.astype(int).tolist()
        crop = pixels[top:bottom, left:right]
        if not crop.size:
            continue
        box = [left, top, right - left, bottom - top]
        rows.append(
            {
                "face_id": face_id(crop, f"{photo_id}:{','.join(map(str, box))}"),
                "image": encode_png(crop),
                "width": box[2],
                "height": box[3],
                "box": box,
                "landmarks": detection.landmarks - np.tile((left, top), 5),
                "score": detection.score,
            }
        )
    return rows


def _boxes(table: pa.Table) -> Boxes:
    """The boxes (N, 4) of each photo, in the order of the table."""
    boxes: dict[str, list[list[float]]] = {}
    for photo_id, box in zip(table["photo_id"].to_pylist(), table["box"].to_pylist(), strict=True):
        boxes.setdefault(photo_id, []).append(box)
    return {photo_id: np.array(rows) for photo_id, rows in boxes.items()}


def _names(tags: pa.Table) -> dict[str, list[str]]:
    """The identities tagged in each photo, in the order of the table."""
    names: dict[str, list[str]] = {}
    for photo_id, identity in zip(tags["photo_id"].to_pylist(), tags["identity"].to_pylist(), strict=True):
        names.setdefault(photo_id, []).append(identity)
    return names
