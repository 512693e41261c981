"""train-landmarks: CNN-6 learns where the five landmarks of tiny faces are, and is compared with MTCNN."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

import cv2
import numpy as np
import pyarrow as pa
import torch

from lrfr import paths
from lrfr.config import read_params, settings
from lrfr.core.bootstrap import interval
from lrfr.core.resampling import bicubic_to_height
from lrfr.decoding import decode
from lrfr.detector import Detect, detect_faces
from lrfr.faces import read_faces, with_rows
from lrfr.files import write_csv, write_json
from lrfr.hr_faces import require_hr_faces
from lrfr.images import Images
from lrfr.nn.compute import make_deterministic
from lrfr.nn.landmarks.error import normalised_error
from lrfr.nn.landmarks.faces import LandmarkFaces, held_out, points_of, sizes_of
from lrfr.nn.landmarks.model_file import write_landmark_model
from lrfr.nn.landmarks.network import CNN6, POINTS, SIDE
from lrfr.nn.landmarks.prediction import predict
from lrfr.nn.landmarks.settings import Landmarks
from lrfr.nn.landmarks.task import Localisation
from lrfr.nn.processes import one_of_several
from lrfr.nn.training.checkpoint import SavedState, fingerprint
from lrfr.nn.training.curves import Curves, write_curves
from lrfr.nn.training.steps import Step, Trained, train_in_steps
from lrfr.parallel import parallel_map
from lrfr.progress import track

COLUMNS = ["face_id", "identity", "width", "height", "landmarks"]
BATCH = 64  # encoded faces in memory at a time, beside those that training holds
HEIGHTS = (8, 12, 16, 20, 24, 32, 48, 64)  # px
KIND = "landmarks"
DRAWS = 1000  # of the bootstrap over identities
JUDGED = 2000  # faces at most
JUDGED_BY_MTCNN = 150  # it takes some ms for each
SMALLEST_FOR_MTCNN = 5  # px: what a scaled P-Net can look for

Figures = dict[str, float | int | None]


@dataclass(frozen=True)
class Judged:
    """The faces that the network is judged by.

    Attributes:
        images: (H, W, 3) uint8 each.
        points: (N, 5, 2) landmarks, px in the images.
        identities: (N,) their names.
        mean_shape: the error of the training faces' mean shape, in % of the interocular distance.
        by_mtcnn: places of the faces that MTCNN is asked about too.
    """

    images: list[np.ndarray]
    points: np.ndarray
    identities: np.ndarray
    mean_shape: float
    by_mtcnn: list[int]


def run() -> None:
    """Trains on data/split/auxiliary.parquet; writes models/landmarks and the errors by height.

    Raises:
        BenchmarkError: there are no HR faces.
        FaceTableError: too few faces have landmarks, or these are no numbers.
    """
    with one_of_several():
        params = read_params()
        require_hr_faces()
        chosen = settings(params.landmarks, Landmarks, "params.yaml: landmarks")
        thresholds = params.read("detect", Detect).thresholds
        make_deterministic(params.seed, params.threads)
        table, judged = held_out(_annotated(chosen.most_faces, thresholds, params.seed), params.seed, paths.AUXILIARY)
        faces, validation = (
            LandmarkFaces(rows, _images_of(rows), chosen.heights, chosen.tight) for rows in (table, judged)
        )
        mean_shape = faces.labels.mean(axis=0)
        task = Localisation(CNN6(chosen.width, torch.from_numpy(mean_shape)), chosen.wing)
        settled = [params.landmarks, params.seed, params.threads, thresholds]
        known = fingerprint(settled, [__name__], paths.AUXILIARY)
        saved = SavedState(paths.checkpoint(KIND, KIND), known)

        def write(curves: Curves, trained: Sequence[Trained]) -> None:
            shown = _judged(judged, mean_shape.reshape(POINTS, 2) / SIDE, params.seed)
            heights = track(HEIGHTS, "errors", len(HEIGHTS), "height")
            rows = [_errors(task.network, shown, height, thresholds, params.seed) for height in heights]
            write_landmark_model(paths.LANDMARKS, task.network)
            write_curves(paths.LANDMARK_CURVE, curves)
            write_json(paths.LANDMARK_METRICS, {"faces": len(faces), "judged": len(validation), "heights": rows})
            _write_table(rows)

        collections = {"auxiliary": faces}
        live = paths.live(KIND, KIND)
        step = Step(KIND, chosen.training, lambda: (collections, validation), params.seed, saved, live)
        train_in_steps(task, [step], write)


def _annotated(most: int, thresholds: list[float], seed: int) -> pa.Table:
    """At most so many auxiliary faces, each with its ``row``, drawn by the seed. Where the source brings no landmarks
    at all, they are those that MTCNN finds in the sharp faces."""
    table = with_rows(read_faces(paths.AUXILIARY, COLUMNS))
    table = table.take(np.sort(np.random.default_rng((seed, 7)).permutation(len(table))[:most]))
    if table.column("landmarks").null_count < len(table):
        return table
    work = partial(_located, thresholds=thresholds)
    images = chain.from_iterable(_images_of(table).batches(BATCH))
    faces = zip(table["face_id"].to_pylist(), images, strict=True)
    found = list(parallel_map(work, faces, "finding landmarks", "face", len(table)))
    place = table.schema.get_field_index("landmarks")
    return table.set_column(place, table.schema.field(place), pa.array(found, table.schema.field(place).type))


def _images_of(table: pa.Table) -> Images:
    return Images(paths.AUXILIARY, table["row"].to_numpy())


def _located(face: tuple[str, bytes], thresholds: list[float]) -> list[float] | None:
    face_id, image = face
    points = by_mtcnn(decode(image, f"face {face_id}"), thresholds)
    return None if points is None else points.ravel().tolist()


def _judged(table: pa.Table, mean_shape: np.ndarray, seed: int) -> Judged:
    """The faces to judge by, not all where there are many."""
    rows = np.sort(np.random.default_rng((seed, 5)).permutation(len(table))[:JUDGED])
    table, points = table.take(rows), points_of(table)[rows]
    encoded = chain.from_iterable(_images_of(table).batches(BATCH))
    ids = table["face_id"].to_pylist()
    images = [decode(image, f"face {face_id}") for face_id, image in zip(ids, encoded, strict=True)]
    floor = normalised_error(mean_shape * sizes_of(table)[:, None, ::-1], points).mean()
    by_mtcnn = np.random.default_rng((seed, 6)).permutation(len(rows))[:JUDGED_BY_MTCNN]
    return Judged(images, points, np.array(table.column("identity").to_pylist()), float(floor), by_mtcnn.tolist())


def _errors(network: CNN6, judged: Judged, height: int, thresholds: list[float], seed: int) -> Figures:
    """The errors on faces shrunk to a height, in % of the interocular distance; faces that are no higher stay."""
    small = [bicubic_to_height(image, height) if height < len(image) else image for image in judged.images]
    sizes, before = (np.array([image.shape[1::-1] for image in images]) for images in (small, judged.images))
    points = judged.points * (sizes / before)[:, None]
    errors = normalised_error(predict(network, small), points)
    low, high = interval(errors, judged.identities, DRAWS, seed)
    found = {row: by_mtcnn(small[row], thresholds) for row in judged.by_mtcnn}
    found = {row: seen for row, seen in found.items() if seen is not None}
    where = list(found)
    mtcnn = normalised_error(np.stack(list(found.values())), points[where]) if found else np.empty(0)
    means = {"mtcnn": mtcnn.mean(), "cnn6_where_mtcnn_found": errors[where].mean()} if found else {}
    figures = {"cnn6": errors.mean(), "cnn6_low": low, "cnn6_high": high, "mean_shape": judged.mean_shape}
    figures |= {"mtcnn": np.nan, "mtcnn_found": len(found) / len(judged.by_mtcnn), "cnn6_where_mtcnn_found": np.nan}
    return {"height": height} | {name: _rounded(value) for name, value in (figures | means).items()}


def by_mtcnn(image: np.ndarray, thresholds: list[float]) -> np.ndarray | None:
    """The landmarks (5, 2) of the face that fills an image (H, W, 3), as MTCNN finds them; None where it does not.

    MTCNN expects surroundings: the edge is repeated for half a face's height all around.
    """
    margin = -(-len(image) // 2)
    padded = cv2.copyMakeBorder(image, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    found = detect_faces(padded, max(min(image.shape[:2]) // 2, SMALLEST_FOR_MTCNN), thresholds)
    return found[0].landmarks.reshape(POINTS, 2) - margin if found else None


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)


def _write_table(rows: Sequence[Figures]) -> None:
    names = [name for name in rows[0] if name != "cnn6_where_mtcnn_found"]
    write_csv(paths.LANDMARK_ERROR, names, ([row[name] for name in names] for row in rows))
