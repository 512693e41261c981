"""The face table, the photo table and the tags: schemas, reading, writing and decoding.

One schema flows through the whole pipeline; each row of a face table is one face crop, as captured.
"""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lrfr.errors import FaceTableError, ImageError
from lrfr.files import atomic_path

FACE_SCHEMA = pa.schema(
    [
        pa.field("face_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("image", pa.binary(), nullable=False),  # encoded bytes as captured, never re-encoded on the way
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
        pa.field("image", pa.binary(), nullable=False),
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


def write_table(table: pa.Table, path: Path, schema: pa.Schema) -> None:
    """Writes a table atomically as Parquet after casting it to ``schema``.

    Raises:
        FaceTableError: a column is missing, of the wrong type, or null where null is not allowed.
    """
    try:
        table = table.select(schema.names).cast(schema)
    except (KeyError, pa.ArrowInvalid, pa.ArrowTypeError, ValueError) as error:
        raise FaceTableError(f"a table does not meet its schema: {error}", where=path) from error
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", row_group_size=16384)


def read_table(path: Path, schema: pa.Schema, columns: list[str] | None = None) -> pa.Table:
    """Reads a Parquet table and checks that it has the columns of ``schema``.

    Raises:
        FaceTableError: the file is missing, is no Parquet file, or misses a column.
    """
    if not path.is_file():
        raise FaceTableError("a table is missing", where=path, remedy="run the stage that makes it: dvc repro")
    try:
        table = pq.read_table(path, columns=columns)
    except (pa.ArrowInvalid, OSError) as error:
        raise FaceTableError(f"not a readable Parquet file: {error}", where=path, remedy="dvc repro") from error
    missing = sorted(set(columns or schema.names) - set(table.column_names))
    if missing:
        raise FaceTableError(f"columns are missing: {', '.join(missing)}", where=path)
    return table


def write_faces(table: pa.Table, path: Path) -> None:
    """Writes a face table atomically; ``face_id`` must be unique.

    Raises:
        FaceTableError: a face_id stands twice, or the table breaks the schema.
    """
    ids = table.column("face_id").to_pylist()
    if len(set(ids)) != len(ids):
        raise FaceTableError(f"{len(ids) - len(set(ids))} face_id values stand more than once", where=path)
    write_table(table, path, FACE_SCHEMA)


def read_faces(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Reads a face table, all columns or some."""
    return read_table(path, FACE_SCHEMA, columns)


def decode(image: bytes, where: object = None) -> np.ndarray:
    """Decodes PNG or JPEG bytes to an RGB array (H, W, 3), uint8.

    Raises:
        ImageError: the bytes are empty, truncated or no image.
    """
    pixels = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR_RGB) if image else None
    if pixels is None:
        what = "an image file is empty" if not image else "an image is truncated or in no known format"
        raise ImageError(what, where=where, remedy="replace the file, or take it out of the source")
    return pixels


def encode_png(image: np.ndarray) -> bytes:
    """Encodes an RGB array (H, W, 3), uint8, losslessly."""
    return cv2.imencode(".png", image[..., ::-1])[1].tobytes()


def face_id(image: np.ndarray, source_key: str) -> str:
    """A stable id of a face: a hash of its pixels (H, W, 3), uint8, and of the place that it comes from."""
    digest = hashlib.sha256(source_key.encode())
    digest.update(repr(image.shape).encode())
    digest.update(np.ascontiguousarray(image).tobytes())
    return digest.hexdigest()[:20]
