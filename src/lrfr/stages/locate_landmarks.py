"""locate-landmarks: where eyes, nose and mouth are in the faces that models train on, once for all trainings."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from lrfr import paths
from lrfr.config import read_params
from lrfr.core.alignment import similarity
from lrfr.decoding import decode
from lrfr.errors import LandmarkError
from lrfr.faces import LANDMARK_SCHEMA, read_faces, write_table
from lrfr.images import Images
from lrfr.nn.compute import make_deterministic
from lrfr.nn.landmarks.model_file import read_landmark_model
from lrfr.nn.landmarks.network import CNN6
from lrfr.nn.landmarks.prediction import predict
from lrfr.parallel import cores
from lrfr.progress import track

BATCH = 256


def run() -> None:
    """Writes data/landmarks/auxiliary.parquet and native.parquet: face_id and landmarks, null where nobody finds them.

    HR faces keep the landmarks that their source or the detector gave. Native faces get those of the network in
    models/landmarks, as they do when they are tested: no native face may need a detector that works on tiny faces.

    Raises:
        FaceTableError: a table is missing.
        TrainingError: the network is missing.
        ImageError: a face cannot be decoded.
    """
    make_deterministic(0, read_params().threads)
    model = read_landmark_model(paths.LANDMARKS)
    _locate(paths.AUXILIARY, paths.AUXILIARY_LANDMARKS, model, keep_known=True)
    _locate(paths.BENCHMARK, paths.NATIVE_LANDMARKS, model, keep_known=False)


def _locate(faces: Path, out: Path, model: CNN6, keep_known: bool) -> None:
    table = read_faces(faces, ["face_id", "landmarks"])
    known = table["landmarks"].to_pylist() if keep_known else [None] * len(table)
    unknown = np.array([row for row, points in enumerate(known) if points is None], np.int64)
    found = _predicted(faces, unknown, model)
    for row in track(unknown.tolist(), f"landmarks of {faces.stem}"):
        known[row] = next(found)
    usable = [points if _is_a_face(points) else None for points in known]
    columns = {"face_id": table["face_id"], "landmarks": pa.array(usable, LANDMARK_SCHEMA.field("landmarks").type)}
    write_table(pa.table(columns), out, LANDMARK_SCHEMA)
    print(f"{faces}: landmarks of {len(usable) - usable.count(None):,} of {len(usable):,} faces")


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
