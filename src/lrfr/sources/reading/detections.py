"""Lists of faces that somebody else's detector found: COCO JSON, WIDER FACE text, and tables as CSV or Parquet."""

import json
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from lrfr.errors import SourceError
from lrfr.sources.reading.cutting import Box

Detections = dict[str, list[Box]]  # by the photo's name in the list; a photo without a face has an empty list

POINTS = 5  # eyes, nose, mouth corners
WIDER_FLAGS = ("blur", "expression", "illumination", "invalid", "occlusion", "pose")
COLUMNS = ("photo", "x", "y", "width", "height")
NUMBERS, WORDS = (*COLUMNS[1:], "score"), ("photo", "identity", "landmarks")
TYPES = dict.fromkeys(NUMBERS, pa.float64()) | dict.fromkeys(WORDS, pa.string())
CSV = csv.ConvertOptions(column_types=TYPES, null_values=[""], strings_can_be_null=True)


def read_detections(path: Path) -> Detections:
    """Reads a list of detections; the file's ending tells its kind.

    Raises:
        SourceError: the ending is unknown, or the list is not of its kind.
    """
    readers = {".json": _coco, ".txt": _wider, ".csv": _table, ".parquet": _table}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        remedy = "COCO's .json, WIDER FACE's .txt, or a .csv or .parquet with " + ", ".join(COLUMNS)
        raise SourceError("a list of detections of no known kind", where=path, remedy=remedy)
    return reader(path)


def _coco(path: Path) -> Detections:
    """COCO: images, annotations and categories. An identity stands in an annotation or in its attributes."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        names = {image["id"]: str(image["file_name"]) for image in content["images"]}
        wanted = _face_category(content.get("categories", []), path)
        annotations = [one for one in content["annotations"] if wanted in (None, one.get("category_id"))]
        found: Detections = {name: [] for name in names.values()}
        for annotation in annotations:
            found[names[annotation["image_id"]]].append(_coco_box(annotation))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = f"not COCO's JSON: {type(error).__name__}: {error}"
        remedy = "it holds images (id, file_name), annotations (image_id, bbox) and categories"
        raise SourceError(what, where=path, remedy=remedy) from error
    return found


def _face_category(categories: Sequence[dict[str, Any]], path: Path) -> Any:
    """The id of the category of faces: the only one, whatever its name, or the one named face; None without any."""
    if len(categories) < 2:
        return categories[0]["id"] if categories else None
    faces = [category["id"] for category in categories if str(category["name"]).lower() == "face"]
    if len(faces) != 1:
        known = ", ".join(str(category["name"]) for category in categories)
        remedy = "name the category of faces 'face', or leave the others out"
        raise SourceError(f"none of the categories is 'face': {known}", where=path, remedy=remedy)
    return faces[0]


def _coco_box(annotation: dict[str, Any]) -> Box:
    """One annotation; five keypoints that are all marked become landmarks, others are passed over."""
    attributes = annotation.get("attributes") or {}
    named = [attributes.get("identity"), attributes.get("name"), annotation.get("identity"), annotation.get("name")]
    points = [float(value) for value in annotation.get("keypoints") or []]
    marked = len(points) == 3 * POINTS and all(visible > 0 for visible in points[2::3])
    x, y, width, height = annotation["bbox"]
    return Box(
        (float(x), float(y), float(width), float(height)),
        next((str(name) for name in named if name not in (None, "")), None),
        [value for place, value in enumerate(points) if place % 3 < 2] if marked else None,
        None if annotation.get("score") is None else float(annotation["score"]),
        fault="crowd" if annotation.get("iscrowd") else None,
    )


def _wider(path: Path) -> Detections:
    """WIDER FACE: a photo's name, the number of its faces, and a line for each; a line of zeros where it has none.

    A face's line is x, y, width, height, and then either the six flags of the annotations or a detector's score.
    """
    lines = deque(path.read_text(encoding="utf-8", errors="replace").strip().splitlines())
    total, found = len(lines), {}
    try:
        while lines:
            name, count = lines.popleft().strip(), int(lines.popleft())
            if count < 0:
                raise ValueError(f"{count} faces")
            found.setdefault(name, []).extend(_wider_box(lines.popleft()) for _ in range(count))
            if not count and lines and len(lines[0].split()) == 4 + len(WIDER_FLAGS):
                lines.popleft()
    except (ValueError, IndexError) as error:
        what = f"line {total - len(lines)} is not what WIDER FACE has there: {error}"
        remedy = "for each photo: a line with its name, one with the number of faces, and one for each face"
        raise SourceError(what, where=path, remedy=remedy) from error
    return found


def _wider_box(line: str) -> Box:
    """One face; the annotations' flags but for ``invalid`` become attributes."""
    (x, y, width, height), rest = (float(value) for value in line.split()[:4]), line.split()[4:]
    if len(rest) == len(WIDER_FLAGS):
        flags = dict(zip(WIDER_FLAGS, rest, strict=True))
        fault = "invalid" if flags.pop("invalid") == "1" else None
        return Box((x, y, width, height), attributes=flags, fault=fault)
    if len(rest) > 1:
        raise ValueError(f"a face has {4 + len(rest)} numbers")
    return Box((x, y, width, height), score=float(rest[0]) if rest else None)


def _table(path: Path) -> Detections:
    """A row for each face: photo, x, y, width, height, and if known identity, score and landmarks.

    Landmarks are ten numbers in the photo, px, in a CSV with blanks between them. A row without numbers names a photo
    that shows no face.
    """
    try:
        table = pq.read_table(path) if path.suffix.lower() == ".parquet" else csv.read_csv(path, convert_options=CSV)
    except (pa.ArrowInvalid, OSError) as error:
        raise SourceError(f"not a readable table: {error}", where=path, remedy="correct it, or save again") from error
    twice = sorted({name for name in table.column_names if table.column_names.count(name) > 1} & TYPES.keys())
    if twice:
        raise SourceError(f"columns stand twice: {', '.join(twice)}", where=path, remedy="take one of each out")
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        known = ", ".join(table.column_names)
        raise SourceError(f"columns are missing: {', '.join(missing)}", where=path, remedy=f"it has: {known}")
    found: Detections = {}
    for number, row in enumerate(table.to_pylist(), 1):
        try:
            found.setdefault(str(row["photo"]), []).extend(_table_box(row))
        except (ValueError, TypeError) as error:
            raise SourceError(f"row {number} is no detection: {error}", where=path, remedy="correct the row") from error
    return found


def _table_box(row: dict[str, Any]) -> list[Box]:
    """The box of a row, or none."""
    sides = [row[name] for name in COLUMNS[1:]]
    if row["photo"] is not None and sides == [None] * 4:
        return []
    if None in (row["photo"], *sides):
        raise ValueError("it lacks " + ", ".join(name for name in COLUMNS if row[name] is None))
    landmarks = row.get("landmarks") or None
    points = [float(value) for value in (landmarks.split() if isinstance(landmarks, str) else landmarks or [])]
    if landmarks and len(points) != 2 * POINTS:
        raise ValueError(f"it has {len(points)} landmark coordinates, not {2 * POINTS}")
    identity, score = row.get("identity"), row.get("score")
    return [
        Box(
            [float(side) for side in sides],
            str(identity) if identity not in (None, "") else None,
            points or None,
            None if score is None else float(score),
        )
    ]
