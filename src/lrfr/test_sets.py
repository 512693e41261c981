"""The faces that are tested on, and the same once more under a condition (:mod:`lrfr.protocols.conditions`)."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lrfr import paths
from lrfr.config import Params
from lrfr.faces import FACE_SCHEMA, read_faces
from lrfr.files import atomic_path
from lrfr.progress import track
from lrfr.protocols import protocol
from lrfr.sources import BENCHMARK, source

ROWS = 1024  # faces in memory at a time: the loose crops of IJB-C do not all fit

TESTED = pc.field("split").is_null() | (pc.field("split") != "train")

Row = dict[str, Any]


def asking_for(condition: str, params: Params) -> dict[str, Path]:
    """The face table of each test set whose protocol asks for a condition, by the set's name."""
    asked = {"benchmark": (paths.BENCHMARK, BENCHMARK)}
    for name, chosen in params.evaluation_sets.items():
        asked[name] = (paths.test_set(name), source(chosen.source).PROTOCOL)
    return {
        name: table
        for name, (table, chosen) in asked.items()
        if condition in protocol(chosen).conditions(params.evaluate)
    }


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
