"""The reference sample of a release: test faces in numbers, without pictures, against which drift is measured."""

from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lrfr.core.image_statistics import STATISTICS, describe
from lrfr.decoding import decode
from lrfr.faces import read_faces
from lrfr.files import atomic_path
from lrfr.images import Images
from lrfr.protocols.embeddings import read_embeddings

FACES = 500  # at most; a distance between samples of 500 shows from an eighth of a standard deviation on
BATCH = 64  # encoded faces in memory at a time


def write_reference(path: Path, benchmark: Path, embeddings: Path, seed: int) -> None:
    """Writes a row per face: :data:`lrfr.core.image_statistics.STATISTICS`, ``score``, ``embedding``, and ``quality``
    where the model predicts it. :func:`lrfr.quality.arrivals.compare_faces` takes it as a reference.

    The faces are a random sample of the benchmark's test faces, of all splits. ``score`` is the detector's, null where
    there is none. Equal faces and embeddings give equal bytes.

    Args:
        path: the Parquet file to be written.
        benchmark: the face table.
        embeddings: of its test faces, as the stage embed stored them.
        seed: of the sample.
    """
    faces = read_faces(benchmark, ["face_id", "split", "score", "attributes"])
    missing = np.array(["missing" in dict(pairs or ()) for pairs in faces["attributes"].to_pylist()], bool)
    tested = np.array([split != "train" for split in faces["split"].to_pylist()], bool)
    rows = np.flatnonzero(tested & ~missing)
    if len(rows) > FACES:
        rows = np.sort(np.random.default_rng(seed).choice(rows, FACES, replace=False))
    ids = faces["face_id"].take(rows).to_pylist()
    images = chain.from_iterable(Images(benchmark, rows).batches(BATCH))
    described = [describe(decode(image, f"{benchmark}, face {face}")) for face, image in zip(ids, images, strict=True)]
    made = read_embeddings(embeddings, ids, "dvc repro")
    embedding = made.of().astype(np.float32)
    columns = {name: pa.array([one[name] for one in described], pa.float64()) for name in STATISTICS}
    columns["score"] = faces["score"].take(rows).combine_chunks()
    columns["embedding"] = pa.FixedSizeListArray.from_arrays(pa.array(embedding.ravel()), embedding.shape[1])
    if made.quality is not None:
        columns["quality"] = pa.array(made.quality, pa.float32())
    with atomic_path(path) as temporary:
        pq.write_table(pa.table(columns), temporary, compression="zstd")
