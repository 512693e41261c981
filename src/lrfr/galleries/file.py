"""The file of a gallery: Parquet, one row per enrolled face. It holds data alone, and nothing in it is ever run.

Its metadata say the format, the model whose embeddings these are, by its hash, and a revision that is new with every
change. A change is written beside the file and takes its place at once; two programs that change it wait for each
other. What a deleted person leaves is nothing: the file is written anew without the rows, and the search's index,
which lies beside it, goes.
"""

import json
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from lrfr.errors import GalleryError
from lrfr.faces import write_groups

FORMAT = 1
KEY = b"lrfr_gallery"
INDEX = ".usearch"
PATIENCE = 60  # seconds that a program waits for another one to change the file
WIDEST = 65_536  # D


@dataclass(frozen=True)
class Origin:
    """Whose embeddings a gallery holds.

    Attributes:
        model: the hash of the model.
        metric: ``cosine`` or ``euclidean``.
        width: D.
        release: the name and version of the model's release, for people to read.
    """

    model: str
    metric: str
    width: int
    release: str


@dataclass(frozen=True)
class Enrolled:
    """One face of a person.

    Attributes:
        name: whose.
        face: its ``face_id``.
        embedding: (D,).
        quality: what the model says of it, if anything.
        picture: the face as it was cut out, encoded.
    """

    name: str
    face: str
    embedding: np.ndarray
    quality: float | None
    picture: bytes


def schema(origin: Origin, revision: str = "") -> pa.Schema:
    """The columns of a gallery, with its metadata."""
    columns = [
        pa.field("name", pa.string(), nullable=False),
        pa.field("face", pa.string(), nullable=False),
        pa.field("embedding", pa.list_(pa.float32(), origin.width), nullable=False),
        pa.field("quality", pa.float32()),
        pa.field("picture", pa.large_binary(), nullable=False),
    ]
    told = {"format": FORMAT, "revision": revision, **vars(origin)}
    return pa.schema(columns, {KEY: json.dumps(told, sort_keys=True).encode()})


class GalleryFile:
    """A gallery that lies open: what was read of it is of one moment, whatever is written meanwhile.

    Args:
        path: of the file.
        origin: of the embeddings that are to be compared with it.

    Raises:
        GalleryError: there is none, it is damaged, or it holds the embeddings of another model.
    """

    def __init__(self, path: Path, origin: Origin) -> None:
        if not path.is_file():
            remedy = "enrol somebody first: lrfr enroll NAME PHOTO, or give the gallery by --gallery FILE"
            raise GalleryError("there is no such gallery", where=path, remedy=remedy)
        self.path = path
        with _readable(path):
            self._file = pq.ParquetFile(path)
            found = self._file.schema_arrow
            self.revision = _told(path, found, origin)
            if not found.equals(schema(origin)):
                raise ValueError("its columns are not those of a gallery")

    def read(self, columns: list[str]) -> pa.Table:
        """Some columns of all rows."""
        with _readable(self.path):
            return self._file.read(columns)

    def groups(self) -> Iterator[pa.Table]:
        """All of it, one row group at a time."""
        with _readable(self.path):
            for group in range(self._file.num_row_groups):
                yield self._file.read_row_group(group)

    def pictures(self, rows: list[int]) -> list[bytes]:
        """The pictures of some rows."""
        ends = np.cumsum([self._file.metadata.row_group(group).num_rows for group in range(self._file.num_row_groups)])
        groups, found = np.searchsorted(ends, rows, side="right"), {}
        with _readable(self.path):
            for group in np.unique(groups).tolist():
                column = self._file.read_row_group(group, ["picture"])["picture"]
                first = int(ends[group]) - len(column)
                found |= {row: column[row - first].as_py() for row, at in zip(rows, groups, strict=True) if at == group}
        return [found[row] for row in rows]

    def index(self) -> Path:
        """Where the index of these very rows lies, if there is one."""
        return self.path.with_name(f".{self.path.name}.{self.revision}{INDEX}")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turns what pyarrow says of a damaged file into one message."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError) as error:
        remedy = "restore it from a copy, or enrol the photos again"
        raise GalleryError(f"not a gallery, or a damaged one: {_line(error)}", where=path, remedy=remedy) from error


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _told(path: Path, found: pa.Schema, origin: Origin) -> str:
    """The revision, once the metadata are found to be those of a gallery of this model."""
    told: dict[str, Any] = json.loads((found.metadata or {})[KEY])
    if told["format"] != FORMAT:
        remedy = "use the version of lrfr that wrote it, or enrol the photos again"
        raise GalleryError(f"a gallery of format {told['format']}, not {FORMAT}", where=path, remedy=remedy)
    if told["model"] != origin.model:
        what = f"the gallery holds embeddings of another model, {told['release']}; this one is {origin.release}"
        remedy = f"use {told['release']}, or enrol the photos again into a new gallery"
        raise GalleryError(what, where=path, remedy=remedy)
    return str(told["revision"])


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keeps other programs from changing a gallery meanwhile.

    Raises:
        GalleryError: another one does for more than a minute.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=PATIENCE):
            yield
    except Timeout as error:
        what = f"another program has been changing the gallery for {PATIENCE} s"
        raise GalleryError(what, where=path, remedy="end it, or wait and try again") from error


def write(path: Path, origin: Origin, groups: Iterable[pa.Table]) -> None:
    """Writes a gallery anew, atomically, as a new revision; the index of the former one goes first."""
    for old in path.parent.glob(f".{path.name}.*{INDEX}*"):
        old.unlink(missing_ok=True)
    write_groups(groups, path, schema(origin, secrets.token_hex(8)))


def table(faces: list[Enrolled], origin: Origin) -> pa.Table:
    """Faces as rows."""
    rows = [vars(face) | {"embedding": np.asarray(face.embedding, np.float32).tolist()} for face in faces]
    return pa.Table.from_pylist(rows, schema(origin))
