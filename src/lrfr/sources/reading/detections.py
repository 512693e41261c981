"""Lists of faces that somebody else's detector found: WIDER FACE text, tables as CSV or Parquet, and COCO JSON, which
has a file of its own."""

from collections import deque
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from lrfr.errors import SourceError
from lrfr.sources.reading.coco import read_coco
from lrfr.sources.reading.cutting import POINTS, Box, Listed
from lrfr.sources.reading.list_checks import check_once, named

WIDER_FLAGS = ("blur", "expression", "illumination", "invalid", "occlusion", "pose")
COLUMNS = ("photo", "x", "y", "width", "height")
NUMBERS, WORDS = (*COLUMNS[1:], "score"), ("photo", "identity", "landmarks")
TYPES = dict.fromkeys(NUMBERS, pa.float64()) | dict.fromkeys(WORDS, pa.string())
CSV = csv.ConvertOptions(column_types=TYPES, null_values=[""], strings_can_be_null=True)


def read_detections(path: Path) -> dict[str, Listed]:
    """Reads a list of detections; the file's ending tells its kind.

    Returns:
        What it says of each photo, by the photo's name in the list; a photo without a face has no boxes.

    Raises:
        SourceError: the ending is unknown, the list is not of its kind, or it has no face at all.
    """
    readers = {".json": read_coco, ".txt": _wider, ".csv": _table, ".parquet": _table}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        remedy = "COCO's .json, WIDER FACE's .txt, or a .csv or .parquet with " + ", ".join(COLUMNS)
        raise SourceError("a list of detections of no known kind", where=path, remedy=remedy)
    found = reader(path)
    if not any(listed.boxes for listed in found.values()):
        what = f"the list of detections has no face in any of its {len(found)} photos"
        raise SourceError(what, where=path, remedy="give the list that has them, or none, and lrfr detects them")
    return found


def _wider(path: Path) -> dict[str, Listed]:
    """WIDER FACE: a photo's name, the number of its faces, and a line for each; a line of zeros where it has none.

    A face's line is x, y, width, height, and then either the six flags of the annotations or a detector's score.
    """
    try:
        lines = deque(path.read_text(encoding="utf-8-sig").strip().splitlines())
    except UnicodeDecodeError as error:
        raise SourceError("a list of detections is no text", where=path, remedy="save it as UTF-8") from error
    total, found = len(lines), []
    try:
        while lines:
            name = lines.popleft().strip()
            count = _count(lines.popleft())
            found.append((name, [_wider_box(lines.popleft()) for _ in range(count)]))
            if not count and lines and len(lines[0].split()) == 4 + len(WIDER_FLAGS):
                lines.popleft()
    except IndexError as error:
        raise _no_wider(path, total, "the list ends here") from error
    except ValueError as error:
        raise _no_wider(path, total - len(lines), str(error)) from error
    check_once([name for name, _ in found], path)
    return {name: Listed(boxes) for name, boxes in found}


def _no_wider(path: Path, line: int, what: str) -> SourceError:
    remedy = "for each photo: a line with its name, one with the number of faces, and one for each face"
    return SourceError(f"line {line} is not what WIDER FACE has there: {what}", where=path, remedy=remedy)


def _count(line: str) -> int:
    if not line.strip().isdecimal():
        raise ValueError(f"{line.strip() or 'no number of'} faces")
    return int(line)


def _wider_box(line: str) -> Box:
    """One face; the annotations' flags but for ``invalid`` become attributes."""
    values = line.split()
    sides, rest = values[:4], values[4:]
    numbers = _floats(sides if len(rest) == len(WIDER_FLAGS) else values)
    if len(rest) == len(WIDER_FLAGS):
        flags = dict(zip(WIDER_FLAGS, rest, strict=True))
        fault = "invalid" if flags.pop("invalid") == "1" else None
        return Box(numbers, attributes=flags, fault=fault)
    if len(values) not in (4, 5):
        raise ValueError(f"a face has {len(values)} numbers")
    return Box(numbers[:4], score=numbers[4] if rest else None)


def _floats(values: list[str]) -> list[float]:
    """Numbers from text.

    Raises:
        ValueError: some are none; it names the first.
    """
    numbers = []
    for value in values:
        try:
            numbers.append(float(value))
        except ValueError as error:
            raise ValueError(f"'{value}' is no number") from error
    return numbers


def _table(path: Path) -> dict[str, Listed]:
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
    found: dict[str, list[Box]] = {}
    for number, row in enumerate(table.select([name for name in TYPES if name in table.column_names]).to_pylist(), 1):
        try:
            found.setdefault(str(row["photo"]), []).extend(_table_box(row, f"{path}: row {number}"))
        except (ValueError, TypeError) as error:
            raise SourceError(f"row {number} is no detection: {error}", where=path, remedy="correct the row") from error
    return {name: Listed(boxes) for name, boxes in found.items()}


def _table_box(row: dict[str, Any], where: str) -> list[Box]:
    """The box of a row, or none."""
    sides = [row[name] for name in COLUMNS[1:]]
    if row["photo"] is not None and sides == [None] * 4:
        return []
    if None in (row["photo"], *sides):
        raise ValueError("it lacks " + ", ".join(name for name in COLUMNS if row[name] is None))
    if not isinstance(row["photo"], str):
        raise ValueError(f"its photo is {row['photo']!r}, no file name")
    landmarks = row.get("landmarks") or None
    points = _floats(landmarks.split() if isinstance(landmarks, str) else landmarks or [])
    if landmarks and len(points) != 2 * POINTS:
        raise ValueError(f"it has {len(points)} landmark coordinates, not {2 * POINTS}")
    identity, score = row.get("identity"), row.get("score")
    return [
        Box(
            _floats(sides),
            named(identity, where) if identity not in (None, "") else None,
            points or None,
            None if score is None else float(score),
        )
    ]
