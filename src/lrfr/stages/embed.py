"""embed: every face that is tested on, of every test set, through one method's model."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lrfr import paths
from lrfr.config import Params, read_params
from lrfr.errors import unknown_name
from lrfr.faces import read_faces
from lrfr.files import atomic_path
from lrfr.methods import method
from lrfr.nn.compute import make_deterministic
from lrfr.nn.embedding import BATCH, embed_faces
from lrfr.nn.model_file import read_model
from lrfr.progress import track
from lrfr.protocols import protocol
from lrfr.sources import source


def run(name: str) -> None:
    """Writes data/embeddings/METHOD/SET.npz for the benchmark, its twin and every mounted test set.

    Each has ``face_id`` (N,), ``embedding`` (N, D) float32, ``missing`` (N,) bool, and ``embedding_<rendition>`` for
    every rendition that the set's protocol asks for; ``trains_on`` says what the method learnt from ("" for nothing).
    Equal models and faces give equal bytes.
    """
    params = read_params()
    if name not in params.methods:
        raise unknown_name("method", name, params.methods, f"{paths.PARAMS}: methods")
    make_deterministic(0, params.threads)
    embedder, _ = read_model(paths.model(name))
    trains_on = np.array("+".join(method(name).TRAINS_ON))
    for test_set, (faces, protocol_name) in _test_sets(params).items():
        renditions = protocol(protocol_name).renditions(params.evaluate)
        tested = np.array([split != "train" for split in read_faces(faces, ["split"])["split"].to_pylist()], bool)
        with track((), f"embedding {test_set}", int(tested.sum()), "face") as progress:
            batches = _batches(faces, tested, progress.update)
            arrays = embed_faces(embedder, batches, renditions, params.evaluate.fusion)
        with atomic_path(paths.embeddings(name, test_set)) as temporary, temporary.open("wb") as file:
            np.savez(file, trains_on=trains_on, **arrays)  # pyrefly: ignore


def _test_sets(params: Params) -> dict[str, tuple[Path, str]]:
    """The face table and the protocol of each test set by its name."""
    made = {"benchmark": (paths.BENCHMARK, "tinyface"), "twin": (paths.TWIN, "synlr")}
    mounted = {
        name: (paths.mounted(name), source(chosen.source).PROTOCOL) for name, chosen in params.evaluation_sets.items()
    }
    return made | mounted


def _batches(faces: Path, chosen: np.ndarray, done: Callable[[int], object]) -> Iterator[pa.RecordBatch]:
    """The chosen rows (N,) bool of a face table, a few at a time: the images of a large set do not fit the memory.

    ``done`` is told how many rows were dealt with since it was last told.
    """
    start = 0
    for batch in pq.ParquetFile(faces).iter_batches(BATCH, columns=["face_id", "image", "attributes"]):
        some = batch.filter(pa.array(chosen[start : start + len(batch)]))
        yield some
        done(len(some))
        start += len(batch)
