"""Faces that a source brings already cut: from encoded bytes to rows of the face table, decoded on every core.

Nothing is held but the encoded bytes themselves: pixels live only while their size and hash are taken.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa

from lrfr.errors import ImageError, SourceError
from lrfr.faces import EXCLUDED_SCHEMA, FACE_SCHEMA, decode, face_id
from lrfr.parallel import cores
from lrfr.progress import track
from lrfr.sources.reading.dataset_files import pictures, relative
from lrfr.sources.reading.list_checks import check_present, composed, named

BATCH = 1024  # faces that wait as Python objects before they are packed
NO_PIXELS = np.empty((0, 0, 3), np.uint8)


@dataclass(frozen=True)
class Crop:
    """One cut face of a layout.

    Attributes:
        name: its path or record inside the layout, with ``/``; unique within a source.
        image: encoded bytes as captured, or the file that holds them, which is read when its turn comes. Empty bytes
            stand for a file that a published list names and nobody has.
        identity: None where the layout says none.
        split: train, probe, gallery or distractor where a published partition says so.
        attributes: what else the layout says, such as ``part``, ``camera``, ``template``.
        collection: native or auxiliary.
        is_test: a published protocol scores it: unreadable, it stays as a row that scores as a miss.
        landmarks: five points x, y in the crop, px: eyes, nose, mouth corners.
        score: detector confidence, 0..1.
    """

    name: str
    image: bytes | Path
    identity: str | None = None
    split: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    collection: str = "native"
    is_test: bool = False
    landmarks: Sequence[float] | None = None
    score: float | None = None


def crop_rows(
    items: Iterable[Crop], source: str, doing: str, total: int | None = None
) -> tuple[pa.Table, list[dict[str, str]]]:
    """Packs crops into a face table, with progress.

    Args:
        items: the crops, in the order of the rows; taken as they are needed.
        source: goes into every row and every ``face_id``.
        doing: what the progress bar says.
        total: how many crops there are, for the progress bar.

    Returns:
        The face table, and rows of ``EXCLUDED_SCHEMA`` for the crops that cannot be read and no protocol scores.
        An unreadable test crop stays in the table with ``missing`` = unreadable, 0 x 0 px.
    """
    packed, excluded = [FACE_SCHEMA.empty_table()], []
    rows = iter(track(_rows(items, source), doing, total, "face"))
    while batch := list(islice(rows, BATCH)):
        packed.append(pa.Table.from_pylist([row for row in batch if "reason" not in row], FACE_SCHEMA))
        excluded += [row for row in batch if "reason" in row]
    return pa.concat_tables(packed), excluded


def listed_crops(
    root: Path, folder: str, identities: Mapping[str, str | None], split: str | None, part: str
) -> tuple[list[Crop], list[dict[str, str]]]:
    """The test crops in a folder that a published list names; the list rules over what the file names say.

    Args:
        root: the dataset.
        folder: where the pictures lie, relative to it.
        identities: file name (without folders, in Unicode's composed form) -> identity.
        split: of every crop.
        part: of every crop.

    Returns:
        A crop for each listed name, also where the file is absent; and the files that no list names, excluded. A copy
        whose pictures were converted is read alike: where no file has the listed name, one with another ending does.

    Raises:
        SourceError: the folder is missing, lacks most of the listed files, or holds one twice; or a listed name leads
            out of the dataset.
    """
    names, excluded = pictures(root, folder)
    found: dict[str, str] = {}
    for path in names:
        name = composed(PurePosixPath(path).name)
        if found.setdefault(name, path) != path and name in identities:
            raise SourceError(f"{name} stands twice, as {found[name]} and {path}", where=root, remedy="take one away")
    converted = _converted(names, [name for name in identities if name not in found])
    absent = {
        name: (PurePosixPath(folder) / relative(root, name)).as_posix()
        for name in identities
        if name not in found and name not in converted
    }
    check_present(root, folder, identities, absent)
    found |= converted
    used = {found[name] for name in identities if name in found}
    excluded += [{"where": path, "reason": "unlisted"} for path in names if path not in used]
    crops = [
        Crop(
            absent.get(name) or PurePosixPath(found[name]).with_name(PurePosixPath(name).name).as_posix(),
            b"" if name in absent else root / found[name],
            identity,
            split,
            {"part": part},
            is_test=True,
        )
        for name, identity in identities.items()
    ]
    return crops, excluded


def _converted(paths: Sequence[str], lacking: Sequence[str]) -> dict[str, str]:
    """The pictures that bear a listed name with another ending; none where two do."""
    by_stem: dict[str, list[str]] = {}
    for path in paths if lacking else ():
        by_stem.setdefault(PurePosixPath(path).stem, []).append(path)
    stems = {name: by_stem.get(PurePosixPath(name).stem, []) for name in lacking}
    return {name: bearing[0] for name, bearing in stems.items() if len(bearing) == 1}


def ids_by_file(crops: Sequence[Crop], faces: pa.Table) -> dict[str, str]:
    """File name (without folders, composed) -> ``face_id`` of test crops, whose rows stand last in the face table.

    No test crop is ever left out of the table, so the rows are the crops, in their order.
    """
    ids = faces["face_id"].slice(faces.num_rows - len(crops)).to_pylist()
    return {composed(PurePosixPath(crop.name).name): face for crop, face in zip(crops, ids, strict=True)}


def excluded_table(rows: list[dict[str, str]]) -> pa.Table:
    """The table of what a source could not use, from rows with ``where`` and ``reason``."""
    return pa.Table.from_pylist(rows, EXCLUDED_SCHEMA)


def _rows(items: Iterable[Crop], source: str) -> Iterator[dict[str, Any]]:
    """The rows in the items' order. Threads suffice: reading, decoding and hashing free the interpreter's lock."""
    remaining = iter(items)
    with ThreadPoolExecutor(cores()) as pool:
        while batch := list(islice(remaining, BATCH)):
            yield from pool.map(partial(_row, source=source), batch)


def _row(crop: Crop, source: str) -> dict[str, Any]:
    """A row of the face table, or of the table of what is excluded."""
    attributes = {"collection": crop.collection, "name": crop.name} | dict(crop.attributes)
    image, pixels = _read(crop.image), NO_PIXELS
    try:
        pixels = decode(image, crop.name)
    except ImageError as error:
        if not crop.is_test:
            return {"where": crop.name, "reason": error.reason}
        attributes["missing"] = "unreadable"
    if crop.landmarks is not None and not crop.is_test and not _inside(crop.landmarks, pixels):
        return {"where": crop.name, "reason": "landmarks_outside"}
    return {
        "face_id": face_id(pixels, f"{source}:{crop.name}"),
        "source": source,
        "image": image,
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "identity": None if crop.identity is None else named(crop.identity, crop.name),
        "landmarks": crop.landmarks,
        "score": crop.score,
        "split": crop.split,
        "attributes": list(attributes.items()),
    }


def _inside(landmarks: Sequence[float], pixels: np.ndarray) -> bool:
    """Whether five points lie in the picture that they are of; those of a larger copy do not."""
    points = np.reshape(landmarks, (-1, 2))
    return bool((points >= 0).all() and (points <= pixels.shape[1::-1]).all())


def _read(image: bytes | Path) -> bytes:
    """The bytes of a crop; a file that cannot be read counts as an empty one."""
    try:
        return image if isinstance(image, bytes) else image.read_bytes()
    except OSError:
        return b""
