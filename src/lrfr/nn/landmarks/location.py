"""The landmarks of the faces that models train on, found once for all trainings."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from lrfr.core.alignment import similarity
from lrfr.decoding import decode
from lrfr.errors import LandmarkError
from lrfr.faces import LANDMARK_SCHEMA, read_faces, write_table
from lrfr.images import Images
from lrfr.nn.landmarks.network import CNN6
from lrfr.nn.landmarks.prediction import predict
from lrfr.parallel import cores
from lrfr.progress import track

BATCH = 256


def locate(faces: Path, out: Path, model: CNN6, keep_known: bool, train_only: bool = False) -> None:
    """Writes ``face_id`` and landmarks of a table's faces, in their order; null where nobody finds them.

    Args:
        faces: a face table.
        out: the table to be written.
        model: finds the landmarks that are not known.
        keep_known: whether the landmarks in the face table are used where there are any.
        train_only: whether those that do not train are left without.

    Raises:
        FaceTableError: the face table is missing.
        ImageError: a face cannot be decoded.
    """
    table = read_faces(faces, ["face_id", "landmarks", "split"])
    known = table["landmarks"].to_pylist() if keep_known else [None] * len(table)
    wanted = [split == "train" or not train_only for split in table["split"].to_pylist()]
    unknown = np.array([row for row, points in enumerate(known) if points is None and wanted[row]], np.int64)
    found = _predicted(faces, unknown, model)
    for row in track(unknown.tolist(), f"landmarks of {faces.stem}"):
        known[row] = next(found)
    usable = [points if points is not None and _is_a_face(points) else None for points in known]
    columns = {"face_id": table["face_id"], "landmarks": pa.array(usable, LANDMARK_SCHEMA.field("landmarks").type)}
    write_table(pa.table(columns), out, LANDMARK_SCHEMA)
    count = sum(points is not None and train for points, train in zip(usable, wanted, strict=True))
    print(f"{faces}: landmarks of {count:,} of {sum(wanted):,} faces")


def _predicted(faces: Path, rows: np.ndarray, model: CNN6) -> Iterator[list[float]]:
    with ThreadPoolExecutor(cores()) as pool:
        for batch in Images(faces, rows).batches(BATCH):
            decoded = list(pool.map(partial(decode, where=faces), batch))
            yield from (points.ravel().tolist() for points in predict(model, decoded))


def _is_a_face(points: list[float]) -> bool:
    """Whether landmarks say where a face is."""
    try:
        similarity(np.array(points, float).reshape(5, 2))
    except LandmarkError:
        return False
    return True
