"""What is to be embedded: the pictures of a folder, of a list, or of a face table."""

import csv
import hashlib
import io
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lrfr.core.normal_names import normal_name
from lrfr.errors import FaceTableError, SourceError
from lrfr.images import Images
from lrfr.sources.reading.dataset_files import PICTURES, is_hidden, is_picture

PATH = "path"
CARRIED = ("identity", "template", "media")  # what `lrfr score` looks for beside an embedding
ROWS = 128  # of a face table that are read at a time
WHAT = "give a folder of images, a face table (.parquet), or a list (.txt, or .csv with a column 'path')"

Encoded = bytes | Path | None


@dataclass(frozen=True)
class Pictures:
    """Pictures in the order of their rows.

    Attributes:
        columns: text without nulls: ``name`` (N,), and those of ``CARRIED`` that are known; no text is unknown.
        encoded: the pictures from a row on, each its bytes or its file; None for a face that is known to be missing.
        fingerprint: changes when a picture does, as far as names, sizes and times tell.
        landmarks: (N, 5, 2) x, y, px, where a face table has them; NaN where they are not known.
        excluded: what lies in a folder and is left out: ``where`` and the reason, as a source says it.
    """

    columns: pa.Table
    encoded: Callable[[int], Iterator[Encoded]]
    fingerprint: str
    landmarks: np.ndarray | None = None
    excluded: Sequence[dict[str, str]] = ()


def read_pictures(what: Path) -> Pictures:
    """The pictures of a folder and the folders in it, of a list, or of a face table.

    - A folder: sorted by path; hidden files, links to folders, and files that are not named like a picture are left
      out. Where pictures lie in folders, the first folder is their ``identity``.
    - A list: one path a line (``.txt``), or the column ``path`` of a table (``.csv``), beside which ``identity``,
      ``template`` and ``media`` are taken over. Paths count from the folder of the list.
    - A face table: ``face_id``, ``image`` and, where there are such, ``identity``, ``attributes`` and ``landmarks``.

    Raises:
        SourceError: there is no such thing, it is of another kind, or there are no pictures in it.
        FaceTableError: not a face table.
    """
    readers = {".txt": _listed, ".csv": _listed, ".parquet": _tabled}
    if what.is_dir():
        pictures = _in_folder(what)
    elif not what.exists():
        raise SourceError("there is nothing of this name", where=what, remedy=WHAT)
    elif what.suffix.lower() not in readers:
        raise SourceError("this is neither a folder, nor a list, nor a face table", where=what, remedy=WHAT)
    else:
        pictures = readers[what.suffix.lower()](what)
    columns = pictures.columns
    for name in (name for name in CARRIED if name in columns.column_names):
        columns = columns.set_column(columns.column_names.index(name), name, _named(columns[name], name, what))
    pictures = replace(pictures, columns=columns)
    if not len(pictures.columns):
        endings = f"pictures of a folder end in {', '.join(sorted(PICTURES))}"
        raise SourceError("there are no pictures", where=what, remedy=endings if what.is_dir() else WHAT)
    return pictures


def _in_folder(root: Path) -> Pictures:
    names, excluded = [], []
    for folder, inner, files in os.walk(root):  # does not follow links to folders, which may lead round in circles
        place = Path(folder).relative_to(root)
        paths = {(place / name).as_posix(): name for name in files}
        names += [path for path, name in paths.items() if is_picture(name) and not is_hidden(name)]
        left = {path: name for path, name in paths.items() if is_hidden(name) or not is_picture(name)}
        excluded += [
            {"where": path, "reason": "hidden" if is_hidden(name) else "not_image"} for path, name in left.items()
        ]
        excluded += [{"where": (place / name).as_posix(), "reason": "hidden"} for name in inner if is_hidden(name)]
        inner[:] = [name for name in inner if not is_hidden(name)]
    names.sort()
    _check_text(names, root)
    columns = {"name": names}
    if any("/" in name for name in names):
        columns["identity"] = [name.partition("/")[0] if "/" in name else "" for name in names]
    return replace(_of_files(root, names, columns), excluded=excluded)


def _listed(path: Path) -> Pictures:
    if path.is_char_device():  # some never end
        raise SourceError("the list is a device", where=path, remedy="name a file")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"the list cannot be read: {error}", where=path, remedy="write it as UTF-8") from error
    if path.suffix.lower() == ".txt":
        columns = {"name": [line.rstrip("\r") for line in text.split("\n") if line.strip()]}
    else:
        columns = _csv_columns(text, path)
    return _of_files(path.parent, columns["name"], columns)


def _csv_columns(text: str, path: Path) -> dict[str, list[str]]:
    try:
        header, *rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row] or [[]]
    except csv.Error as error:
        raise SourceError(f"the list cannot be read: {error}", where=path, remedy="write it anew") from error
    if PATH not in header:
        remedy = f"name the column of the files '{PATH}'; it has {', '.join(header) or 'no first line'}"
        raise SourceError(f"the list has no column '{PATH}'", where=path, remedy=remedy)
    twice = [name for name in (PATH, *CARRIED) if header.count(name) > 1]
    if twice:
        raise SourceError(f"the list has two columns '{twice[0]}'", where=path, remedy="leave one of them out")
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            what = f"a row has {len(row)} values, not {len(header)}"
            raise SourceError(what, where=f"{path}, row {number} below the header", remedy="correct that row")
    taken = {PATH: "name"} | {name: name for name in CARRIED}
    return {taken[name]: [row[place] for row in rows] for place, name in enumerate(header) if name in taken}


def _of_files(root: Path, names: Sequence[str], columns: dict[str, list[str]]) -> Pictures:
    def encoded(start: int) -> Iterator[Encoded]:
        return (root / name for name in islice(names, start, None))

    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    return Pictures(table, encoded, _fingerprint(root, names))


def _tabled(path: Path) -> Pictures:
    images = Images(path)
    try:
        with pq.ParquetFile(path) as file:
            there = file.schema_arrow.names
            if "face_id" not in there:
                remedy = "give a table with face_id and image, as lrfr writes it"
                raise FaceTableError("columns are missing: face_id", where=path, remedy=remedy)
            table = file.read([name for name in ("face_id", *CARRIED, "attributes", "landmarks") if name in there])
        texts = [name for name in table.column_names if name not in ("attributes", "landmarks")]
        columns = {name: table[name] if name in CARRIED else table[name].cast(pa.string()) for name in texts}
    except (pa.ArrowException, OSError) as error:
        raise FaceTableError(f"not a readable face table: {error}", where=path) from error
    columns = pa.table({"name": columns.pop("face_id"), **columns})
    encoded = partial(_rows_of_table, images, _missing(table, path))
    return Pictures(columns, encoded, _fingerprint(path.parent, [path.name]), _landmarks(table, path))


def _landmarks(table: pa.Table, path: Path) -> np.ndarray | None:
    """The landmarks (N, 5, 2) of a table; None where it has none."""
    if "landmarks" not in table.column_names or table["landmarks"].null_count == len(table):
        return None
    points = [[np.nan] * 10 if known is None else known for known in table["landmarks"].to_pylist()]
    try:
        return np.array(points, float).reshape(-1, 5, 2)
    except (ValueError, TypeError) as error:
        kind = table.schema.field("landmarks").type
        what = f"the column landmarks is {kind}, not ten numbers for each face"
        raise FaceTableError(what, where=path, remedy="leave it out") from error


def _missing(table: pa.Table, path: Path) -> np.ndarray:
    """Which faces (N,) of a table are known to be missing."""
    if "attributes" not in table.column_names:
        return np.zeros(len(table), bool)
    if not pa.types.is_map(kind := table.schema.field("attributes").type):
        raise FaceTableError(f"the column attributes is {kind}, not a map", where=path, remedy="leave it out")
    return np.array(["missing" in dict(known or []) for known in table["attributes"].to_pylist()], bool)


def _rows_of_table(images: Images, missing: np.ndarray, start: int) -> Iterator[Encoded]:
    """The images of a face table from a row on."""
    encoded = chain.from_iterable(images.select(np.arange(start, len(images))).batches(ROWS))
    yield from (None if lost else image for image, lost in zip(encoded, missing[start:], strict=True))


def _named(column: pa.ChunkedArray, name: str, where: Path) -> pa.Array:
    """Names as text in their normal form; no text is unknown.

    Raises:
        SourceError: one is no name.
    """
    encoded = column.combine_chunks().dictionary_encode()
    try:
        names = [normal_name(value) or "" for value in encoded.dictionary.to_pylist()]
    except ValueError as error:
        raise SourceError(f"the {name} {error}", where=where, remedy="correct it, or leave it empty") from error
    return pc.fill_null(pc.take(pa.array(names, pa.string()), encoded.indices), "")


def _check_text(names: Sequence[str], root: Path) -> None:
    for name in names:
        if not name.isascii() and name.encode(errors="replace").decode() != name:
            raise SourceError("a file's name is not UTF-8", where=f"{root}: {name!r}", remedy="rename it")


def _fingerprint(root: Path, names: Sequence[str]) -> str:
    """Of the names, sizes and times of files; one that is not there has neither."""
    digest = hashlib.sha256()
    for name in names:
        try:
            found = (root / name).stat()
            told = f"{name}\0{found.st_size}\0{found.st_mtime_ns}\0{found.st_ctime_ns}\n"
        except (OSError, ValueError):  # ValueError: a list may hold what cannot be a path
            told = f"{name}\0\n"
        digest.update(told.encode())
    return digest.hexdigest()
