"""embed: every test face of every test set, through the model of one run."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from lrfr import paths
from lrfr.config import BENCHMARK, read_params, settings
from lrfr.core.qualities import ers
from lrfr.errors import EmbeddingError, unknown_name
from lrfr.faces import read_faces
from lrfr.files import atomic_path
from lrfr.images import Images
from lrfr.nn.compute import make_deterministic
from lrfr.nn.embedding import BATCH, Face, embed_faces, faces_of
from lrfr.nn.model_file import FILE, Model, facts_of, read_model, sha256_of
from lrfr.nn.stochastic import agreement, drops
from lrfr.progress import track
from lrfr.protocols.options import Evaluate
from lrfr.protocols.views import conditions, views
from lrfr.test_sets import TESTED, TestSet, test_sets


def run(name: str) -> None:
    """Writes data/embeddings/RUN/SET.npz for every test set, and RUN/beside/unrecognizable.npz.

    Each has ``face_id`` (N,), ``embedding`` (N, D) float32, ``missing`` (N,) bool, ``unaligned`` (N,) bool where the
    model takes aligned faces, ``quality`` (N,) float32 where it predicts it, and ``embedding_<name>`` for every view
    and every condition that the set's protocol asks for, with ``unchanged_<condition>`` (N,) bool for faces that the
    condition's stage left as they are. The benchmark's has what rival qualities need (:func:`_rivals`). ``facts`` is
    JSON: what the model says of itself, the SHA-256 of its file, and the fusion, if any. Equal models and faces give
    equal bytes.

    Raises:
        ParameterError: there is no such run.
        TrainingError: its model is missing.
        FaceTableError: a table of faces, as they are or under a condition, is missing.
        EmbeddingError: a condition's table shows other faces.
    """
    params = read_params()
    if name not in params.methods:
        raise unknown_name("run", name, params.methods, f"{paths.PARAMS}: methods")
    options = settings(params.evaluate, Evaluate, f"{paths.PARAMS}: evaluate")
    make_deterministic(0, params.threads)
    model = read_model(paths.model(name))
    facts = np.array(facts_of(model, sha256_of(paths.model(name) / FILE), options.fusion))
    beside = _unrecognizable(model, options)
    _write(paths.unrecognizable_embeddings(name), facts, beside)
    for test_set in test_sets(params):
        asked = views(test_set.protocol, options)
        arrays = _embedded(model, test_set.name, test_set.has_landmarks, test_set.faces, asked, options)
        if test_set.name == BENCHMARK:
            arrays |= _rivals(model, test_set, beside, options)
        for condition in conditions(test_set.protocol, options):
            table = _shows_the_same(
                paths.super_resolved(condition.removeprefix("super_resolved_"), test_set.name), test_set.faces
            )
            doing = f"{test_set.name}, {condition.replace('_', ' ')}"
            arrays[f"embedding_{condition}"] = _embedded(model, doing, test_set.has_landmarks, table, (), options)[
                "embedding"
            ]
            arrays[f"unchanged_{condition}"] = _unchanged(table)
        _write(paths.embeddings(name, test_set.name), facts, arrays)


def _write(path: Path, facts: np.ndarray, arrays: Mapping[str, np.ndarray]) -> None:
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, facts=facts, **arrays)  # pyrefly: ignore


def _unrecognizable(model: Model, options: Evaluate) -> dict[str, np.ndarray]:
    """The arrays of the faces that nobody recognises, of which there may be none."""
    return _embedded(model, "unrecognizable faces", False, paths.UNRECOGNIZABLE, (), options)


def _rivals(
    model: Model, test_set: TestSet, unrecognizable: Mapping[str, np.ndarray], options: Evaluate
) -> dict[str, np.ndarray]:
    """What qualities beside the model's own need: ``ui_center`` (D,), the centre of the unrecognizable faces, where
    there are any; and ``quality_serfiq`` (N,) float32, where it is asked for and the model has dropout."""
    found: dict[str, np.ndarray] = {}
    if len(unrecognizable["embedding"]):
        found["ui_center"] = ers.center(unrecognizable["embedding"][~unrecognizable["missing"]])
    if options.serfiq_passes and drops(model):
        batches = _batches("SER-FIQ", test_set.has_landmarks, test_set.faces)
        found["quality_serfiq"] = agreement(model, batches, options.serfiq_passes)
    return found


def _shows_the_same(table: Path, faces: Path) -> Path:
    """The table of a condition, whose faces are those of another table, in its order.

    Raises:
        EmbeddingError: they are not.
    """
    ids, expected = (read_faces(path, ["face_id", "split"]).filter(TESTED)["face_id"] for path in (table, faces))
    if not ids.equals(expected):
        what = f"the {len(ids)} faces of a table are not the {len(expected)} of {faces} in their order"
        raise EmbeddingError(what, where=table, remedy="run the stage that makes it again: dvc repro")
    return table


def _unchanged(table: Path) -> np.ndarray:
    """Which faces of a condition's table say that they are as they were."""
    told = read_faces(table, ["attributes", "split"]).filter(TESTED)["attributes"].to_pylist()
    return np.array([("super_resolved", "no") in (attributes or []) for attributes in told], bool)


def _embedded(
    model: Model, doing: str, has_landmarks: bool, table: Path, wanted: Sequence[str], options: Evaluate
) -> dict[str, np.ndarray]:
    """The arrays of the test faces of a table."""
    return embed_faces(model, _batches(f"embedding {doing}", has_landmarks, table), wanted, options.fusion)


def _batches(doing: str, has_landmarks: bool, table: Path) -> Iterable[list[Face]]:
    """The test faces of a table, with progress."""
    faces = read_faces(table, ["face_id", "landmarks", "attributes", "split"])
    rows = np.flatnonzero(pc.not_equal(faces["split"], "train").fill_null(True).to_numpy())
    batches = faces_of(faces.take(rows), Images(table, rows), has_landmarks)
    return track(batches, doing, -(-len(rows) // BATCH), "batch")
