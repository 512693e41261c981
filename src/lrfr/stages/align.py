"""align: a test set's faces once more, turned, scaled and moved so that all have their landmarks in the same places."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lrfr import paths
from lrfr.config import Params, read_params
from lrfr.core.alignment import SIDE, TEMPLATE
from lrfr.errors import LandmarkError
from lrfr.faces import FACE_SCHEMA, decode, encode_png, read_faces
from lrfr.files import atomic_path
from lrfr.nn.alignment import align
from lrfr.nn.batches.alignment import landmarks_of
from lrfr.nn.compute import make_deterministic
from lrfr.nn.landmarks import CNN6, predict, read_landmark_model
from lrfr.parallel import cores
from lrfr.progress import track
from lrfr.protocols import protocol
from lrfr.protocols.conditions import ALIGNED
from lrfr.sources import BENCHMARK, source

BATCH = 1024  # faces that are decoded at a time: the loose crops of IJB-C do not fit the memory

TESTED = pc.field("split").is_null() | (pc.field("split") != "train")

Row = dict[str, Any]


def run() -> None:
    """Writes data/aligned/SET.parquet, faces of 112 x 112 px, for each test set whose protocol asks for them.

    The faces that are tested on, in their order, with the face_id that they had. The landmarks are those that a mounted
    set brings, else what the network in models/landmarks finds: never those of the benchmark's detector, as native test
    faces must not need one that works on tiny faces. A face whose landmarks do not say where it is stays as it is, with
    the attribute ``aligned`` = no. So does a missing one, without it.

    Raises:
        FaceTableError: a test set is missing.
        TrainingError: the network is missing.
        ImageError: a face's image cannot be decoded.
    """
    params = read_params()
    make_deterministic(0, params.threads)
    paths.aligned("any").parent.mkdir(parents=True, exist_ok=True)  # also where nobody asks
    asking = _asking(params)
    if not asking:
        print(f"no test set asks for aligned faces: {paths.PARAMS}: evaluate.aligned")
        return
    model = read_landmark_model(paths.LANDMARKS)
    for test_set in asking:
        _align(test_set, model)


def _asking(params: Params) -> list[str]:
    """The test sets whose protocol asks for aligned faces."""
    protocols = {name: source(chosen.source).PROTOCOL for name, chosen in params.evaluation_sets.items()}
    asked = {"benchmark": BENCHMARK} | protocols
    return [name for name, chosen in asked.items() if ALIGNED in protocol(chosen).conditions(params.evaluate)]


def _align(test_set: str, model: CNN6) -> None:
    is_mounted = test_set != "benchmark"
    faces = paths.mounted(test_set) if is_mounted else paths.BENCHMARK
    total, unaligned = read_faces(faces, ["split"]).filter(TESTED).num_rows, 0
    with (
        atomic_path(paths.aligned(test_set)) as temporary,
        pq.ParquetWriter(temporary, FACE_SCHEMA, compression="zstd") as writer,
        track((), f"aligning {test_set}", total, "face") as progress,
    ):
        for batch in pq.ParquetFile(faces).iter_batches(BATCH, columns=FACE_SCHEMA.names):
            tested = pa.Table.from_batches([batch]).filter(TESTED).to_pylist()
            rows = _aligned_rows(tested, model, has_landmarks=is_mounted)
            writer.write_table(pa.Table.from_pylist(rows, FACE_SCHEMA))
            unaligned += sum(_attributes(row).get("aligned") == "no" for row in rows)
            progress.update(len(rows))
    if unaligned:
        print(f"{test_set}: {unaligned} of {total} faces have landmarks that cannot be theirs and stay as they are")


def _aligned_rows(rows: list[Row], model: CNN6, has_landmarks: bool) -> list[Row]:
    """The rows in their order; ``has_landmarks`` says whether those of the rows count, where they have any."""
    present = [row for row in rows if "missing" not in _attributes(row)]
    landmarks = landmarks_of([row["landmarks"] if has_landmarks else None for row in present])
    unknown = np.flatnonzero(np.isnan(landmarks).all(axis=(1, 2)))
    with ThreadPoolExecutor(cores()) as pool:
        images = list(pool.map(lambda row: decode(row["image"], row["face_id"]), present))
        landmarks[unknown] = predict(model, [images[number] for number in unknown])
        made = pool.map(_aligned, present, images, landmarks)
        return [row if "missing" in _attributes(row) else next(made) for row in rows]


def _aligned(row: Row, image: np.ndarray, landmarks: np.ndarray) -> Row:
    try:
        aligned = align(image, landmarks)
    except LandmarkError:
        return row | {"attributes": list((_attributes(row) | {"aligned": "no"}).items())}
    png, points = encode_png(aligned), TEMPLATE.ravel().tolist()
    return row | {"image": png, "width": SIDE, "height": SIDE, "landmarks": points}


def _attributes(row: Row) -> dict[str, str]:
    return dict(row["attributes"] or [])
