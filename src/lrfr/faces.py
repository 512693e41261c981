"""The face table, the photo table and the tags: schemas, reading and writing.

One schema flows through the whole pipeline; each row of a face table is one face crop, as captured.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lrfr.decoding import decode as decode
from lrfr.errors import FaceTableError
from lrfr.files import atomic_path

IMAGE = "image"  # the column that is read through lrfr.images alone

# A row group is full with so many rows, or so many bytes of images: what is read and written at once fits the memory
GROUP_ROWS, GROUP_BYTES = 16384, 1 << 22

Row = dict[str, Any]
Item = TypeVar("Item")

FACE_SCHEMA = pa.schema(
    [
        pa.field("face_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        # Encoded bytes as captured, never re-encoded on the way; large, as 32-bit offsets end at 2 GiB
        pa.field("image", pa.large_binary(), nullable=False),
        pa.field("width", pa.int32(), nullable=False),
        pa.field("height", pa.int32(), nullable=False),
        pa.field("identity", pa.string()),  # null: unlabelled
        pa.field("photo_id", pa.string()),
        pa.field("box", pa.list_(pa.float32(), 4)),  # x, y, width, height in the photo, px
        pa.field("landmarks", pa.list_(pa.float32(), 10)),  # eyes, nose, mouth corners: x, y in the crop, px
        pa.field("score", pa.float32()),  # detector confidence, 0..1
        pa.field("split", pa.string()),  # train, probe, gallery, distractor
        pa.field("attributes", pa.map_(pa.string(), pa.string())),
    ]
)

PHOTO_SCHEMA = pa.schema(
    [
        pa.field("photo_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("collection", pa.string(), nullable=False),  # native (tiny faces) or auxiliary (HR portraits)
        pa.field("image", pa.large_binary(), nullable=False),
        pa.field("width", pa.int32(), nullable=False),
        pa.field("height", pa.int32(), nullable=False),
    ]
)

# What the source says about who is where: a rough box around a head and a name, as in PIPA. People nobody can name
# have no tag.
TAG_SCHEMA = pa.schema(
    [
        pa.field("photo_id", pa.string(), nullable=False),
        pa.field("identity", pa.string(), nullable=False),
        pa.field("box", pa.list_(pa.float32(), 4), nullable=False),  # x, y, width, height of the head, px
    ]
)

# What a renderer knows for certain; empty for every real source. Only the simulated labellers and the measurement
# of the detector's recall read it.
TRUTH_SCHEMA = pa.schema(
    [
        pa.field("photo_id", pa.string(), nullable=False),
        pa.field("identity", pa.string()),
        pa.field("box", pa.list_(pa.float32(), 4), nullable=False),  # tight face box, px
        pa.field("recognizable", pa.bool_(), nullable=False),
    ]
)

# What a published verification list says: two faces, or two templates, and whether they show the same person.
PAIR_SCHEMA = pa.schema(
    [
        pa.field("left", pa.string(), nullable=False),  # face_id, or the id of a template
        pa.field("right", pa.string(), nullable=False),
        pa.field("same", pa.bool_(), nullable=False),
        pa.field("fold", pa.int8()),  # from 0, where the protocol has folds
    ]
)

# Which templates a published identification protocol enrols, and which it looks for.
ENROLMENT_SCHEMA = pa.schema(
    [
        pa.field("template", pa.string(), nullable=False),
        pa.field("identity", pa.string(), nullable=False),
        pa.field("role", pa.string(), nullable=False),  # G1, G2 (the galleries) or probe
    ]
)

# Where the landmarks of faces are, by whoever located them; null where nobody could.
LANDMARK_SCHEMA = pa.schema(
    [
        pa.field("face_id", pa.string(), nullable=False),
        pa.field("landmarks", pa.list_(pa.float32(), 10)),  # eyes, nose, mouth corners: x, y in the crop, px
    ]
)

# What a source found and could not use as a face.
EXCLUDED_SCHEMA = pa.schema(
    [
        pa.field("where", pa.string(), nullable=False),  # the file or record, inside the layout
        pa.field("reason", pa.string(), nullable=False),
    ]
)

# What curation found against a face: why it is excluded, or would be if it were not published as a test face.
FINDING_SCHEMA = pa.schema(
    [
        pa.field("face_id", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),  # of core.curation.REASONS
        pa.field("excluded", pa.bool_(), nullable=False),  # false: a published test face, which stays
        pa.field("copy_of", pa.string()),  # the face_id of the face that it copies
        pa.field(
            "test_set", pa.string()
        ),  # where that face is imported; null: among the benchmark's or auxiliary faces
        pa.field("kind", pa.string()),  # exact or near
        pa.field("similarity", pa.float32()),  # 1 - mean absolute difference of the thumbnails, 0..1
        pa.field("across", pa.string()),  # leak, other_identity, other_split, same_identity or unnamed
    ]
)


def write_table(table: pa.Table, path: Path, schema: pa.Schema) -> None:
    """Writes a table atomically as Parquet after casting it to ``schema``.

    Raises:
        FaceTableError: a column is missing, of the wrong type, or null where null is not allowed.
    """
    write_groups(_cut(_in_schema(table, path, schema)), path, schema)


def write_groups(groups: Iterable[pa.Table], path: Path, schema: pa.Schema) -> None:
    """Writes tables atomically as one, each as a row group; they are taken as they are needed.

    Raises:
        FaceTableError: a column is missing, of the wrong type, or null where null is not allowed; or a ``face_id``
            stands twice in a face table.
    """
    ids = [pa.chunked_array([], pa.string())]
    plain = [field.name for field in schema if field.name != IMAGE]  # hardly any two images are alike
    dictionaries = [*plain, "attributes.key_value.key", "attributes.key_value.value"]
    with (
        atomic_path(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd", use_dictionary=dictionaries) as writer,
    ):
        for group in groups:
            group = _in_schema(group, path, schema)
            ids += [group["face_id"]] if schema is FACE_SCHEMA else []
            writer.write_table(group)
        face_ids = pa.chunked_array([chunk for column in ids for chunk in column.chunks], pa.string())
        if twice := len(face_ids) - len(face_ids.unique()):
            raise FaceTableError(f"{twice} face_id values stand more than once", where=path)


def full_groups(items: Iterable[Item], size: Callable[[Item], int]) -> Iterator[list[Item]]:
    """The items that make a row group each; ``size`` says how many bytes of images are in one."""
    group, filled = [], 0
    for item in items:
        group.append(item)
        filled += size(item)
        if len(group) == GROUP_ROWS or filled >= GROUP_BYTES:
            yield group
            group, filled = [], 0
    if group:
        yield group


def _cut(table: pa.Table) -> Iterator[pa.Table]:
    """A table's row groups."""
    is_large = IMAGE in table.column_names
    sizes = pc.binary_length(table[IMAGE]).to_numpy() if is_large else np.zeros(len(table), int)
    start = 0
    for group in full_groups(sizes.tolist(), int):
        yield table.slice(start, len(group))
        start += len(group)


def _in_schema(table: pa.Table, path: Path, schema: pa.Schema) -> pa.Table:
    try:
        return table.select(schema.names).cast(schema)
    except (KeyError, pa.ArrowInvalid, pa.ArrowTypeError, ValueError) as error:
        raise FaceTableError(f"a table does not meet its schema: {error}", where=path) from error


def read_table(path: Path, schema: pa.Schema, columns: list[str] | None = None) -> pa.Table:
    """Reads a Parquet table and checks that it has the columns of ``schema``; never images, which
    :class:`lrfr.images.Images` reads.

    Raises:
        FaceTableError: the file is missing, is no Parquet file, misses a column or has one of another type; or images
            are asked for.
    """
    if IMAGE in (columns or ()):
        what = f"the column '{IMAGE}' is not read into a table, which may not fit the memory"
        raise FaceTableError(what, where=path, remedy="read the images through lrfr.images.Images")
    if not path.is_file():
        raise FaceTableError("a table is missing", where=path, remedy="run the stage that makes it: dvc repro")
    wanted = [name for name in columns or schema.names if name != IMAGE]
    try:
        with pq.ParquetFile(path) as file:
            missing = sorted(set(wanted) - set(file.schema_arrow.names))
            if missing:
                raise FaceTableError(f"columns are missing: {', '.join(missing)}", where=path)
            table = file.read(wanted).select(wanted)
    except (pa.ArrowInvalid, OSError) as error:
        raise FaceTableError(f"not a readable Parquet file: {error}", where=path, remedy="dvc repro") from error
    # What is null although it must not be is for `lrfr validate` to find
    fields = [schema.field(name) for name in wanted]
    fields = [field.with_nullable(field.nullable or table[field.name].null_count > 0) for field in fields]
    return _in_schema(table, path, pa.schema(fields))


def write_faces(table: pa.Table, path: Path) -> None:
    """Writes a face table that was just made, with its images, atomically; ``face_id`` must be unique.

    Rows whose images are in a table on the disk are written by :func:`lrfr.images.write_selected`.

    Raises:
        FaceTableError: a face_id stands twice, or the table breaks the schema.
    """
    write_table(table, path, FACE_SCHEMA)


def write_face_rows(rows: Iterable[Row], path: Path) -> None:
    """Writes a face table atomically out of rows that are just being made, each with its image, as they are made.

    Raises:
        FaceTableError: a face_id stands twice, or a row breaks the schema.
    """
    write_groups(row_groups(rows), path, FACE_SCHEMA)


def row_groups(rows: Iterable[Row]) -> Iterator[pa.Table]:
    """The row groups of :func:`write_face_rows`, one at a time."""
    for group in full_groups(rows, lambda row: len(row[IMAGE])):
        yield pa.Table.from_pylist(group, FACE_SCHEMA)


def read_faces(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Reads a face table without its images, all other columns or some.

    Raises:
        FaceTableError: the file is missing, is no Parquet file, or misses a column; or images are asked for.
    """
    return read_table(path, FACE_SCHEMA, columns)


def with_rows(table: pa.Table) -> pa.Table:
    """A table as it was read, with the number of each row as the column ``row``: by these the images of rows that are
    chosen later are found, ``Images(path, table["row"].to_numpy())``."""
    return table.append_column("row", pa.array(np.arange(len(table))))


def numbered(column: pa.ChunkedArray) -> tuple[list[str], np.ndarray]:
    """The distinct values (K,) of a column of names, and the place (N,) of each row's own among them, -1 for null."""
    encoded = column.combine_chunks().dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.fill_null(-1).to_numpy()


def fixed_width(column: pa.ChunkedArray) -> np.ndarray:
    """A column of strings without nulls as one array (N,) of bytes, UTF-8, for arithmetic on millions of ids."""
    array = column.cast(pa.large_string()).combine_chunks()
    _, offsets, data = array.buffers()
    offsets = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    lengths = np.diff(offsets)
    padded = np.zeros((len(array), max(lengths.max(initial=1), 1)), np.uint8)
    padded[np.arange(padded.shape[1]) < lengths[:, None]] = np.frombuffer(data or b"", np.uint8)[
        offsets[0] : offsets[-1]
    ]
    return padded.view(f"S{padded.shape[1]}")[:, 0]


def encode_png(image: np.ndarray) -> bytes:
    """Encodes an RGB array (H, W, 3), uint8, losslessly."""
    return cv2.imencode(".png", image[..., ::-1])[1].tobytes()


def face_id(image: np.ndarray, source_key: str) -> str:
    """A stable id of a face: a hash of its pixels (H, W, 3), uint8, and of the place that it comes from."""
    digest = hashlib.sha256(source_key.encode())
    digest.update(repr(image.shape).encode())
    digest.update(np.ascontiguousarray(image).tobytes())
    return digest.hexdigest()[:20]
