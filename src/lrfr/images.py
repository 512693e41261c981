"""The one door to pixels: the encoded and the decoded images of face tables and of the photo table, lazily.

Nothing here holds a whole collection, and no array has 32-bit offsets that more than 2 GiB of images would overflow.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from itertools import islice
from pathlib import Path
from tempfile import SpooledTemporaryFile

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lrfr.decoding import decode
from lrfr.errors import FaceTableError, ImageError
from lrfr.faces import FACE_SCHEMA, IMAGE, full_groups, read_faces, write_groups

READ_ROWS, READ_BYTES = 256, 1 << 22  # of images that are read from the disk at once
WAITING = 1 << 26  # bytes of images that wait in memory to be put into another order; more of them wait on the disk
REMEDY = "give a table as lrfr writes it, with face_id (or photo_id) and image; in the pipeline: dvc repro"


class Images:
    """The encoded images of a face table, or of the photo table, or of some of its rows.

    The file stays open: when a stage writes it anew, the images stay those that belong to the rows known before.
    Threads and forked processes may share an object; a pickled one opens the file again.

    Args:
        path: the Parquet file.
        rows: numbers (N,) of its rows, in any order, or a mask of them; all rows when None.

    Raises:
        FaceTableError: the file is missing, is no Parquet file, or has no images or no ids of them.
    """

    def __init__(self, path: Path, rows: np.ndarray | None = None) -> None:
        self._table = _Table(path)
        every = np.arange(self._table.metadata.num_rows)
        self._rows = every if rows is None else every[rows]

    def __len__(self) -> int:
        """The number of images."""
        return len(self._rows)

    def encoded(self, i: int) -> bytes:
        """One image as it was captured; no bytes where the row has none. For many, :meth:`batches` is faster."""
        return next(self._table.images(self._rows[[i]]))

    def decoded(self, i: int) -> np.ndarray:
        """One image as RGB (H, W, 3), uint8.

        Raises:
            ImageError: the row has no bytes, or they cannot be decoded; it names the table and the row's id.
        """
        image = self.encoded(i)
        try:
            return decode(image)
        except ImageError:
            return decode(image, self._table.where(int(self._rows[i])))  # raises again: ids are read for this alone

    def select(self, rows: np.ndarray) -> "Images":
        """Some of these images: by their numbers (N,) among them, in any order, or by a mask."""
        chosen = copy(self)
        chosen._rows = self._rows[rows]
        return chosen

    def batches(self, size: int) -> Iterator[list[bytes]]:
        """The encoded images in order, ``size`` at a time; the last batch may have fewer.

        Where the order is not that of the file, images wait in a temporary file beside the table to be put in order.
        """
        images = self._one_by_one()
        while batch := list(islice(images, size)):
            yield batch

    def _one_by_one(self) -> Iterator[bytes]:
        ascending = bool((np.diff(self._rows) >= 0).all())
        return self._table.images(self._rows) if ascending else self._table.reordered(self._rows)


class _Table:
    """A Parquet file with images, whose footer was read; ``metadata`` is what that says."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise FaceTableError("a table is missing", where=path, remedy="run the stage that makes it: dvc repro")
        self._path = path
        with self._readable():
            self._bytes = pa.OSFile(str(path))
            file = pq.ParquetFile(self._bytes)
        self.metadata = file.metadata
        types = {field.name: field.type for field in file.schema_arrow}
        self._id = next((name for name in ("face_id", "photo_id") if name in types), "face_id")
        lacking = [name for name in (self._id, IMAGE) if name not in types]
        if lacking:
            raise FaceTableError(f"columns are missing: {', '.join(lacking)}", where=path, remedy=REMEDY)
        if not (pa.types.is_binary(types[IMAGE]) or pa.types.is_large_binary(types[IMAGE])):
            what = f"the column {IMAGE} is {types[IMAGE]}, not binary"
            raise FaceTableError(what, where=path, remedy="store the encoded picture, a file's bytes, as binary")
        leaves = [self.metadata.schema.column(leaf).path for leaf in range(self.metadata.num_columns)]
        groups = [self.metadata.row_group(group) for group in range(self.metadata.num_row_groups)]
        self._starts = np.cumsum([0, *(group.num_rows for group in groups)])
        self._sizes = [group.column(leaves.index(IMAGE)).total_uncompressed_size for group in groups]

    def __reduce__(self) -> tuple[type["_Table"], tuple[Path]]:
        """An open file cannot be pickled."""
        return _Table, (self._path,)

    def images(self, rows: np.ndarray) -> Iterator[bytes]:
        """The encoded images of rows (N,) that ascend; a part of a row group is in memory at a time."""
        bounds = np.searchsorted(rows, self._starts)
        with self._readable():
            file = pq.ParquetFile(self._bytes, metadata=self.metadata, buffer_size=1 << 20)
        for group in np.flatnonzero(np.diff(bounds)):
            yield from self._of_group(file, int(group), rows[bounds[group] : bounds[group + 1]] - self._starts[group])

    def _of_group(self, file: pq.ParquetFile, group: int, rows: np.ndarray) -> Iterator[bytes]:
        mean = self._sizes[group] / (self._starts[group + 1] - self._starts[group])
        size = int(np.clip(READ_BYTES / max(mean, 1), 1, READ_ROWS))
        batches = file.iter_batches(size, [group], [IMAGE], use_threads=False)
        start = place = 0
        while place < len(rows):
            with self._readable():
                images = next(batches).column(0)
            end = place + int(np.searchsorted(rows[place:], start + len(images)))
            for row in rows[place:end]:
                yield images[row - start].as_py() or b""
            start, place = start + len(images), end

    def reordered(self, rows: np.ndarray) -> Iterator[bytes]:
        """The encoded images of rows (N,) in any order: read in the file's order, and put into theirs."""
        order = np.argsort(rows, kind="stable")
        places = np.zeros((len(rows), 2), np.int64)
        with SpooledTemporaryFile(WAITING, dir=str(self._path.parent)) as laid:
            for number, image in zip(order, self.images(rows[order]), strict=True):
                places[number] = laid.tell(), len(image)
                laid.write(image)
            for place, size in places.tolist():
                laid.seek(place)
                yield laid.read(size)

    def where(self, row: int) -> str:
        """The place of a row, for an error."""
        group = int(np.searchsorted(self._starts, row, side="right")) - 1
        ids = pq.ParquetFile(self._bytes, metadata=self.metadata).read_row_group(group, [self._id])[self._id]
        return f"{self._path}, {self._id.removesuffix('_id')} {ids[row - int(self._starts[group])]}"

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Turns what reading a damaged file raises into one error."""
        try:
            yield
        except (pa.ArrowException, OSError) as error:
            what = f"not a readable face table: {error}"
            raise FaceTableError(what, where=self._path, remedy="make it again: dvc repro") from error


def write_selected(table: pa.Table, source: Path | Sequence[Path], path: Path) -> None:
    """Writes face rows with their images, which are found by ``face_id`` and stay as they are, byte for byte.

    Args:
        table: the columns of a face table but the image; the rows are written in its order.
        source: the face table, or the face tables, that have the images; of equal ids the first counts.
        path: the face table to be written.

    Raises:
        FaceTableError: a source is missing or no face table, none has a row's image, a face_id stands twice, or
            ``table`` breaks the schema.
    """
    sources = [source] if isinstance(source, Path) else list(source)
    write_groups(selected(table, sources), path, FACE_SCHEMA)


def selected(table: pa.Table, sources: Sequence[Path]) -> Iterator[pa.Table]:
    """What :func:`write_selected` writes, a row group at a time, as :func:`lrfr.faces.write_groups` takes it."""
    known = [read_faces(path, ["face_id"])["face_id"] for path in sources]
    ids = pa.chunked_array([chunk for column in known for chunk in column.chunks], pa.string())
    found = pc.index_in(table["face_id"], value_set=ids)
    if found.null_count:
        lost = table["face_id"].filter(found.is_null())
        what = f"the images of {len(lost)} faces are not there, such as that of {lost[0]}"
        raise FaceTableError(what, where=", ".join(map(str, sources)), remedy="make both tables anew: dvc repro")
    rows = found.to_numpy()
    starts = np.cumsum([0, *map(len, known)])
    origin = np.searchsorted(starts, rows, side="right") - 1
    streams = [
        Images(path, rows[origin == number] - starts[number])._one_by_one() for number, path in enumerate(sources)
    ]
    return _groups(table, (next(streams[number]) for number in origin))


def _groups(table: pa.Table, images: Iterable[bytes]) -> Iterator[pa.Table]:
    """A table's rows beside their images, a row group at a time."""
    start = 0
    for group in full_groups(images, len):
        rows = table.slice(start, len(group))
        yield rows.append_column(IMAGE, pa.array(group, pa.large_binary()))
        start += len(group)
