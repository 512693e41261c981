"""detect: photos become face crops with landmarks, and take their identity from the source's tags.

Faces that the source brought already cut pass through untouched, and their photos are not searched again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lrfr import paths
from lrfr.config import read_params
from lrfr.core.boxes import match
from lrfr.core.detection import recall_by_height
from lrfr.detector import Detect
from lrfr.errors import BenchmarkError
from lrfr.faces import (
    FACE_SCHEMA,
    PHOTO_SCHEMA,
    TAG_SCHEMA,
    TRUTH_SCHEMA,
    read_faces,
    read_table,
    row_groups,
    with_rows,
    write_groups,
)
from lrfr.files import write_csv, write_json
from lrfr.images import Images, selected
from lrfr.parallel import parallel_map
from lrfr.sources.acquired import of_collection
from lrfr.sources.reading.detecting import faces_in

Row = dict[str, Any]
Boxes = dict[str, np.ndarray]  # by photo_id

HR_FACES = "params.yaml: acquire.auxiliary names a source of them"
BATCH = 8  # encoded photos in memory at a time, beside those that processes work on
NEEDED = "native"
TABLES = {
    "native": paths.DETECTED_NATIVE,
    "auxiliary": paths.DETECTED_AUXILIARY,
    "unrecognizable": paths.DETECTED_UNRECOGNIZABLE,
}


@dataclass
class Found:
    """What came of one collection: faces that came already cut, and what was found in its photos.

    Attributes:
        already_cut: these faces, without images.
        photos: those that are searched, without images, each with its ``row``.
        faces: how many faces were found there.
        boxes: of these faces, by photo.
        unreadable: photos.
        without_face: photos.
    """

    already_cut: pa.Table
    photos: pa.Table
    faces: int = 0
    boxes: dict[str, list[list[float]]] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    without_face: list[str] = field(default_factory=list)


def run() -> None:
    """Detects the faces of every photo, and measures the detector where the truth is known.

    Of an auxiliary photo the face that its tag names is kept; of others every detection. A tag, a box around the
    head, names the detection that it overlaps most. A photo without a face, or that cannot be read, is counted and
    listed. Unrecognizable faces, which some methods learn from, go into a table that no benchmark is made of.

    Raises:
        BenchmarkError: there is no native face.
    """
    options = read_params().read("detect", Detect)
    photos = with_rows(read_table(paths.PHOTOS, PHOTO_SCHEMA))
    tags = read_table(paths.TAGS, TAG_SCHEMA)
    cut_faces = read_faces(paths.CUT_FACES)
    found = {name: _begun(name, photos, cut_faces) for name in TABLES}
    for name, path in TABLES.items():
        cut = selected(found[name].already_cut, [paths.CUT_FACES])
        new = row_groups(_detect(name, found[name], tags, options))
        write_groups(chain(cut, new), path, FACE_SCHEMA)
    write_csv(paths.WITHOUT_FACE, ("photo_id", "collection", "reason"), _listed(found))
    write_json(paths.DETECTION_METRICS, _summary(found))


def _summary(found: dict[str, Found]) -> dict[str, Any]:
    """How many photos were searched, how many faces there are, and how well the detector finds native ones."""
    native = found["native"]
    truth = _boxes(read_table(paths.TRUTH, TRUTH_SCHEMA))
    searched = set(native.photos["photo_id"].to_pylist())
    truth = {photo_id: boxes for photo_id, boxes in truth.items() if photo_id in searched}
    photos = {name: len(of.photos) for name, of in found.items()}
    photos["without_face"] = sum(len(of.without_face) for of in found.values())
    photos["unreadable"] = sum(len(of.unreadable) for of in found.values())
    detected = {photo_id: np.array(boxes) for photo_id, boxes in native.boxes.items()}
    return {
        "photos": photos,
        "already_cut": {name: of.already_cut.num_rows for name, of in found.items()},
        "faces": {name: of.faces for name, of in found.items()},
        "by_height": recall_by_height(detected, truth) if truth else [],
    }


def _begun(collection: str, photos: pa.Table, cut_faces: pa.Table) -> Found:
    """The faces of one collection that came already cut, and the photos that are still to be searched.

    Raises:
        BenchmarkError: there is neither, and the pipeline cannot do without.
    """
    already_cut = cut_faces["photo_id"].unique()
    searched = (pc.field("collection") == collection) & ~pc.field("photo_id").isin(already_cut)
    found = Found(of_collection(cut_faces, collection), photos.filter(searched))
    if collection == NEEDED and not found.photos.num_rows + found.already_cut.num_rows:
        remedy = "a test set as it is goes under evaluation_sets; acquire.source brings the faces of the benchmark"
        raise BenchmarkError(f"the source brings no {collection} face", where="acquire", remedy=remedy)
    return found


def _detect(collection: str, found: Found, tags: pa.Table, options: Detect) -> Iterator[Row]:
    """The faces in the photos of one collection, in the order of the photos, as they are found; ``found`` is told.

    Raises:
        BenchmarkError: there is no face, and the pipeline cannot do without.
    """
    rows = found.photos.to_pylist()
    boxes, names = _boxes(tags), _names(tags)
    is_auxiliary = collection == "auxiliary"
    min_face = options.min_face_auxiliary if is_auxiliary else options.min_face_native
    find = partial(faces_in, min_face=min_face, thresholds=options.thresholds)
    encoded = chain.from_iterable(Images(paths.PHOTOS, found.photos["row"].to_numpy()).batches(BATCH))
    items = zip((row["photo_id"] for row in rows), encoded, strict=True)
    results = parallel_map(find, items, f"detecting {collection}", "photo", len(rows)) if rows else []
    for photo, faces in zip(rows, results, strict=True):
        photo_id = photo["photo_id"]
        if faces is None:
            found.unreadable.append(photo_id)
            continue
        detected = np.reshape([face["box"] for face in faces], (-1, 4))
        named = dict(match(detected, boxes.get(photo_id, np.empty((0, 4))), options.tag_overlap))
        kept = [index for index in range(len(faces)) if index in named or not is_auxiliary]
        for index in kept:
            identity = names[photo_id][named[index]] if index in named else None
            found.faces += 1
            found.boxes.setdefault(photo_id, []).append(faces[index]["box"])
            yield faces[index] | _origin(photo, identity)
        if not kept:
            found.without_face.append(photo_id)
    _report(collection, found)
    if collection == NEEDED:
        _require(collection, found)


def _origin(photo: Row, identity: str | None) -> Row:
    """What a face takes over from its photo."""
    attributes = [("collection", photo["collection"])]
    return {"source": photo["source"], "photo_id": photo["photo_id"], "identity": identity, "attributes": attributes}


def _report(collection: str, found: Found) -> None:
    """Says what was found, and what was not."""
    photos = len(found.photos)
    for what, photo_ids in (("cannot be read", found.unreadable), ("have no face", found.without_face)):
        if photo_ids:
            listed = ", ".join(photo_ids[:5]) + (", ..." if len(photo_ids) > 5 else "")
            print(f"{collection}: {len(photo_ids)} of {photos} photos {what}: {listed} (all in {paths.WITHOUT_FACE})")
    if photos or found.already_cut.num_rows:
        print(f"{collection}: {found.faces} faces in {photos} photos, {found.already_cut.num_rows} already cut")
    if collection == "auxiliary" and not found.faces + found.already_cut.num_rows:
        print(f"auxiliary: there is no HR face; what trains on HR faces will stop and say so ({HR_FACES})")


def _require(collection: str, found: Found) -> None:
    """Stops where no face was found in a collection that the pipeline cannot do without."""
    if found.faces or found.already_cut.num_rows:
        return
    searched, unreadable = len(found.photos), len(found.unreadable)
    what = f"no face was found in any of the {searched} {collection} photos; {unreadable} cannot be read"
    remedy = "check that the source's photos show faces, or lower detect.thresholds and the min_face sizes"
    raise BenchmarkError(what, where=paths.PHOTOS, remedy=remedy)


def _listed(found: dict[str, Found]) -> Iterator[tuple[str, str, str]]:
    """The photos that gave no face: photo_id, collection and the reason."""
    for collection, of in found.items():
        yield from ((photo_id, collection, "unreadable") for photo_id in of.unreadable)
        yield from ((photo_id, collection, "no_face") for photo_id in of.without_face)


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
