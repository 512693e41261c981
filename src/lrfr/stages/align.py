"""align: a test set's faces once more, turned, scaled and moved so that all have their landmarks in the same places."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from lrfr import paths
from lrfr.config import read_params
from lrfr.core.alignment import SIDE, TEMPLATE
from lrfr.decoding import decode
from lrfr.errors import LandmarkError
from lrfr.faces import Row, encode_png
from lrfr.nn.alignment import align
from lrfr.nn.batches.alignment import landmarks_of
from lrfr.nn.compute import make_deterministic
from lrfr.nn.landmarks import CNN6, predict, read_landmark_model
from lrfr.parallel import cores
from lrfr.protocols.conditions import ALIGNED
from lrfr.test_sets import asking_for, attributes_of, write_changed


def run() -> None:
    """Writes data/aligned/SET.parquet, faces of 112 x 112 px, for each test set whose protocol asks for them.

    The faces that are tested on, in their order, with the face_id that they had. The landmarks are those that an
    imported set brings, else what the network in models/landmarks finds: never those of the benchmark's detector, as
    native test faces must not need one that works on tiny faces. A face whose landmarks do not say where it is stays as
    it is, with the attribute ``aligned`` = no. So does a missing one, without it.

    Raises:
        FaceTableError: a test set is missing.
        TrainingError: the network is missing.
        ImageError: a face's image cannot be decoded.
    """
    params = read_params()
    make_deterministic(0, params.threads)
    paths.aligned("any").parent.mkdir(parents=True, exist_ok=True)  # also where nobody asks
    asking = asking_for(ALIGNED, params)
    if not asking:
        print(f"no test set asks for aligned faces: {paths.PARAMS}: evaluate.aligned")
        return
    model = read_landmark_model(paths.LANDMARKS)
    for test_set, faces in asking.items():
        _align(test_set, faces, model)


def _align(test_set: str, faces: Path, model: CNN6) -> None:
    change = partial(_aligned_rows, model=model, has_landmarks=test_set != "benchmark")
    total, unaligned = write_changed(faces, paths.aligned(test_set), f"aligning {test_set}", "aligned", change)
    if unaligned:
        print(f"{test_set}: {unaligned} of {total} faces have landmarks that cannot be theirs and stay as they are")


def _aligned_rows(rows: list[Row], images: list[bytes], model: CNN6, has_landmarks: bool) -> list[Row]:
    """The rows in their order; ``has_landmarks`` says whether those of the rows count, where they have any."""
    rows = [row | {"image": image} for row, image in zip(rows, images, strict=True)]
    present = [row for row in rows if "missing" not in attributes_of(row)]
    landmarks = landmarks_of([row["landmarks"] if has_landmarks else None for row in present])
    unknown = np.flatnonzero(np.isnan(landmarks).all(axis=(1, 2)))
    with ThreadPoolExecutor(cores()) as pool:
        pixels = list(pool.map(lambda row: decode(row["image"], row["face_id"]), present))
        landmarks[unknown] = predict(model, [pixels[number] for number in unknown])
        made = pool.map(_aligned, present, pixels, landmarks)
        return [row if "missing" in attributes_of(row) else next(made) for row in rows]


def _aligned(row: Row, image: np.ndarray, landmarks: np.ndarray) -> Row:
    try:
        aligned = align(image, landmarks)
    except LandmarkError:
        return row | {"attributes": list((attributes_of(row) | {"aligned": "no"}).items())}
    png, points = encode_png(aligned), TEMPLATE.ravel().tolist()
    return row | {"image": png, "width": SIDE, "height": SIDE, "landmarks": points}
