"""embed: every face that is tested on, of every test set, through one method's model."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from lrfr import paths
from lrfr.config import Params, read_params
from lrfr.errors import EmbeddingError, unknown_name
from lrfr.faces import read_faces
from lrfr.files import atomic_path
from lrfr.images import Images
from lrfr.methods import method, metric, trains_on
from lrfr.nn.compute import make_deterministic
from lrfr.nn.embedder import Embedder
from lrfr.nn.embedding import Row, embed_faces, rows_of
from lrfr.nn.model_file import read_model
from lrfr.progress import track
from lrfr.protocols import protocol
from lrfr.sources import source
from lrfr.test_sets import TESTED


def run(name: str) -> None:
    """Writes data/embeddings/METHOD/SET.npz for the benchmark, its SynLR version and every imported test set.

    Each has ``face_id`` (N,), ``embedding`` (N, D) float32, ``missing`` (N,) bool, and ``embedding_<name>`` for every
    view and every condition that the set's protocol asks for, with ``unchanged_<condition>`` (N,) bool for faces
    that the condition's stage left as they are; ``trains_on`` says what the method learnt from (""
    for nothing), ``metric`` by which its paper compares embeddings ("" where params.yaml decides). Equal models and
    faces give equal bytes.

    Raises:
        ParameterError: there is no such method.
        FaceTableError: a table of faces, as they are or under a condition, is missing.
        EmbeddingError: a condition's table shows other faces.
    """
    params = read_params()
    if name not in params.methods:
        raise unknown_name("method", name, params.methods, f"{paths.PARAMS}: methods")
    make_deterministic(0, params.threads)
    embedder, _ = read_model(paths.model(name))
    module = method(name)
    known = {"trains_on": np.array("+".join(trains_on(module))), "metric": np.array(metric(module) or "")}
    for test_set, (faces, protocol_name) in _test_sets(params).items():
        wanted = protocol(protocol_name)
        conditions = {
            condition: _shows_the_same(paths.condition(condition, test_set), faces)
            for condition in wanted.conditions(params.evaluate)
        }
        arrays = _embedded(embedder, test_set, faces, wanted.views(params.evaluate), params)
        for condition, table in conditions.items():
            doing = f"{test_set}, {condition.replace('_', ' ')}"
            arrays[f"embedding_{condition}"] = _embedded(embedder, doing, table, (), params)["embedding"]
            arrays[f"unchanged_{condition}"] = _unchanged(table)
        with atomic_path(paths.embeddings(name, test_set)) as temporary, temporary.open("wb") as file:
            np.savez(file, **known, **arrays)  # pyrefly: ignore


def _test_sets(params: Params) -> dict[str, tuple[Path, str]]:
    """The face table and the protocol of each test set by its name."""
    made = {"benchmark": (paths.BENCHMARK, "tinyface"), "synlr": (paths.SYNLR, "synlr")}
    imported = {
        name: (paths.test_set(name), source(chosen.source).PROTOCOL) for name, chosen in params.evaluation_sets.items()
    }
    return made | imported


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
    marks = {("aligned", "no"), ("super_resolved", "no")}
    return np.array([not marks.isdisjoint(attributes or []) for attributes in told], bool)


def _embedded(
    embedder: Embedder, doing: str, faces: Path, views: Sequence[str], params: Params
) -> dict[str, np.ndarray]:
    """The arrays of the faces of a table that are tested on."""
    table = read_faces(faces, ["face_id", "split", "attributes"])
    tested = np.array([split != "train" for split in table["split"].to_pylist()], bool)
    with track((), f"embedding {doing}", int(tested.sum()), "face") as progress:
        return embed_faces(embedder, _batches(faces, table, tested, progress.update), views, params.evaluate.fusion)


def _batches(faces: Path, table: pa.Table, chosen: np.ndarray, done: Callable[[int], object]) -> Iterator[list[Row]]:
    """The chosen rows (N,) bool of a face table, a few at a time: the images of a large set do not fit the memory.

    ``done`` is told how many rows were dealt with since it was last told.
    """
    start = 0
    for batch in rows_of(table, Images(faces)):
        some = [row for row, is_chosen in zip(batch, chosen[start:], strict=False) if is_chosen]
        yield some
        done(len(some))
        start += len(batch)
