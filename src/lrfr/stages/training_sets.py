"""training-sets: the test sets whose training faces some run learns from, made ready for it.

DVC cannot let a training depend on a test set that a setting of one run happens to name. So this stage writes down for
each run which one that is, by its hash, and the training depends on its own part of that: a new test set trains nothing
again.
"""

import numpy as np
import pyarrow as pa

from lrfr import paths
from lrfr.closest import with_closest
from lrfr.config import BENCHMARK, read_params
from lrfr.errors import FaceTableError, SourceError
from lrfr.faces import LANDMARK_SCHEMA, read_faces, read_table, write_table
from lrfr.files import write_json
from lrfr.methods import Run, read_run
from lrfr.nn.compute import make_deterministic
from lrfr.nn.landmarks.location import locate
from lrfr.nn.landmarks.model_file import read_landmark_model
from lrfr.nn.model_file import FILE, sha256_of
from lrfr.stages.finetune import landmark_tables, tables, used_learned
from lrfr.test_sets import faces_of


def run() -> None:
    """Writes data/training_sets: RUN.json for every run, the landmarks of the training faces of each set, and those of
    the synthetic faces that some run learns from.

    Landmarks that a test set brings are kept, as they are when it is tested; the others are found by the network in
    models/landmarks. A synthetic face has those of its HR face, as training sees that, at its own size.

    Raises:
        ParameterError: a run is wrong.
        SourceError: nobody in the test set trains.
        FaceTableError, TrainingError: a table, or the network, is missing.
        ResultError: a run takes the closest synthesiser, and the ranking is missing.
        ImageError: a face cannot be decoded.
    """
    params = read_params()
    make_deterministic(0, params.threads)
    chosen = {name: read_run(name, with_closest(params, name)) for name in params.methods}
    for test_set in sorted({run.native for run in chosen.values()} - {BENCHMARK}):
        _locate(test_set)
    for synthesizer in sorted({run.synthesizer for run in chosen.values() if run.synthesizer is not None}):
        _write_shrunk_landmarks(synthesizer)
    for name, known in chosen.items():
        write_json(paths.training_set(name), {"native": known.native, **_hashes(known)})


def _locate(test_set: str) -> None:
    faces = faces_of(test_set)
    if "train" not in read_faces(faces, ["split"])["split"].to_pylist():
        remedy = "SCface and generated mugshots have training faces in a `partition`, SynLR with `training: true`"
        raise SourceError(f"nobody in the test set '{test_set}' trains", where=faces, remedy=remedy)
    model = read_landmark_model(paths.LANDMARKS)
    locate(faces, paths.training_landmarks(test_set), model, keep_known=True, train_only=True)


def _write_shrunk_landmarks(synthesizer: str) -> None:
    """Writes the landmarks of a synthesiser's faces: row by row those of the auxiliary faces, scaled."""
    path = paths.synthetic(synthesizer)
    sharp = read_faces(paths.AUXILIARY, ["face_id", "width", "height"]).to_pylist()
    small = read_faces(path, ["face_id", "width", "height", "attributes"]).to_pylist()
    of = [dict(face["attributes"] or []).get("hr_face_id") for face in small]
    if of != [face["face_id"] for face in sharp]:
        raise FaceTableError("these are not made of the auxiliary faces, row by row", where=path, remedy="dvc repro")
    known = read_table(paths.AUXILIARY_LANDMARKS, LANDMARK_SCHEMA)["landmarks"].to_pylist()
    scales = [
        np.tile([low["width"] / high["width"], low["height"] / high["height"]], 5)
        for low, high in zip(small, sharp, strict=True)
    ]
    points = [
        None if told is None else (np.array(told) * scale).tolist() for told, scale in zip(known, scales, strict=True)
    ]
    ids = [face["face_id"] for face in small]
    columns = {"face_id": pa.array(ids), "landmarks": pa.array(points, LANDMARK_SCHEMA.field("landmarks").type)}
    write_table(pa.table(columns), paths.synthetic_landmarks(synthesizer), LANDMARK_SCHEMA)


def _hashes(run: Run) -> dict[str, str]:
    """What a run learns from beside the benchmark's faces and the auxiliary ones, by its hash."""
    files = {}
    if run.native != BENCHMARK:
        files |= {"faces": tables(run)["native"], "landmarks": landmark_tables(run)["native"]}
    if run.synthesizer is not None:
        synthetic = tables(run)["synthetic"], landmark_tables(run)["synthetic"]
        files |= {"synthetic": synthetic[0], "synthetic_landmarks": synthetic[1]}
    files |= {f"synthesizer {name}": paths.synthesizer(name) / FILE for name in used_learned(run, list(run.steps))}
    return {what: sha256_of(path) for what, path in files.items()}
