"""A test set and one run's embeddings of it, as earlier stages stored them."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from lrfr import paths
from lrfr.faces import ENROLMENT_SCHEMA, FACE_SCHEMA, PAIR_SCHEMA, read_faces, read_table
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.embeddings import Embeddings, read_embeddings

COLUMNS = [column for column in FACE_SCHEMA.names if column != "image"]


def read_stored(run: str, name: str, faces: Path, has_lists: bool) -> tuple[Benchmark, Embeddings]:
    """The tables of a test set, and one run's embeddings of its faces.

    Args:
        run: whose embeddings.
        name: of the test set.
        faces: its face table.
        has_lists: whether pairs and enrolled templates are published with it.

    Raises:
        FaceTableError, EmbeddingError: they are missing or damaged, or a face has no embedding.
    """
    benchmark = Benchmark(_tested(faces))
    if has_lists:
        pairs, enrolment = (paths.test_set(name, table) for table in ("pairs", "enrolment"))
        lists = read_table(pairs, PAIR_SCHEMA), read_table(enrolment, ENROLMENT_SCHEMA)
        benchmark = Benchmark(benchmark.faces, *lists)
    face_ids = benchmark.faces["face_id"].to_pylist()
    return benchmark, read_embeddings(paths.embeddings(run, name), face_ids, f"lrfr embed {run}")


def _tested(path: Path) -> pa.Table:
    """A face table without its images and without the faces that train."""
    faces = read_faces(path, COLUMNS)
    return faces.filter(pc.not_equal(faces["split"], "train").fill_null(True))
