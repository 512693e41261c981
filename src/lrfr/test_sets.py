"""The sets of faces that models are tested on, and how their faces are written once more after a change."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lrfr import paths
from lrfr.config import Params
from lrfr.faces import FACE_SCHEMA, read_faces
from lrfr.files import atomic_path, read_json
from lrfr.progress import track

ROWS = 1024  # faces in memory at a time: the loose crops of IJB-C do not all fit

TESTED = pc.field("split").is_null() | (pc.field("split") != "train")

Row = dict[str, Any]


@dataclass(frozen=True)
class TestSet:
    """A set of faces that models are tested on.

    Attributes:
        name: of the set.
        faces: its face table.
        protocol: the module of :mod:`lrfr.protocols` that evaluates it.
        has_landmarks: whether the landmarks in the table are to be used. Those of the benchmark's detector are not: a
            native test face must not need a detector that works on tiny faces.
        has_lists: whether pairs and enrolled templates are published with it.
    """

    name: str
    faces: Path
    protocol: str
    has_landmarks: bool = True
    has_lists: bool = False


def test_sets(params: Params) -> list[TestSet]:
    """Every test set: the benchmark, the SynLR set, and the imported ones.

    Raises:
        ResultError: an imported set does not say its protocol.
    """
    made = [
        TestSet("benchmark", paths.BENCHMARK, "tinyface", has_landmarks=False),
        TestSet("synlr", paths.SYNLR, "synlr"),
    ]
    return made + [_imported(name) for name in params.evaluation_sets]


def _imported(name: str) -> TestSet:
    facts = read_json(paths.test_set_facts(name), f"lrfr import-testset {name}")
    return TestSet(name, paths.test_set(name), facts["protocol"], has_lists=True)


def write_changed(
    faces: Path, out: Path, doing: str, mark: str, change: Callable[[list[Row]], Iterable[Row]]
) -> tuple[int, int]:
    """Writes the faces of a table that are tested on, changed, in their order.

    Args:
        faces: a face table.
        out: the table to be written.
        doing: what the progress bar says.
        mark: the attribute that is ``no`` where a face stays as it is.
        change: gives for some rows as many, in their order.

    Returns:
        How many faces there are, and how many of them stayed as they are.
    """
    total, unchanged = read_faces(faces, ["split"]).filter(TESTED).num_rows, 0
    with (
        atomic_path(out) as temporary,
        pq.ParquetWriter(temporary, FACE_SCHEMA, compression="zstd") as writer,
        track((), doing, total, "face") as progress,
    ):
        for batch in pq.ParquetFile(faces).iter_batches(ROWS, columns=FACE_SCHEMA.names):
            rows = list(change(pa.Table.from_batches([batch]).filter(TESTED).to_pylist()))
            writer.write_table(pa.Table.from_pylist(rows, FACE_SCHEMA))
            unchanged += sum(attributes_of(row).get(mark) == "no" for row in rows)
            progress.update(len(rows))
    return total, unchanged


def attributes_of(row: Row) -> dict[str, str]:
    """A row's attributes; none where it has none."""
    return dict(row["attributes"] or [])
