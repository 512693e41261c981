"""The faces that are tested on, and the same once more under a condition (:mod:`lrfr.protocols.conditions`)."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pyarrow.compute as pc

from lrfr import paths
from lrfr.config import Params
from lrfr.faces import Row, read_faces, write_face_rows
from lrfr.images import Images
from lrfr.progress import track
from lrfr.protocols import protocol
from lrfr.sources import BENCHMARK, source

ROWS = 1024  # faces in memory at a time: the loose crops of IJB-C do not all fit

TESTED = pc.field("split").is_null() | (pc.field("split") != "train")

Change = Callable[[list[Row], list[bytes]], Iterable[Row]]


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


def write_changed(faces: Path, out: Path, doing: str, mark: str, change: Change) -> tuple[int, int]:
    """Writes the faces of a table that are tested on, changed, in their order.

    Args:
        faces: a face table.
        out: the table to be written.
        doing: what the progress bar says.
        mark: the attribute that is ``no`` where a face stays as it is.
        change: gives for some rows, which lack their images, and these images as many rows with images, in their order.

    Returns:
        How many faces there are, and how many of them stayed as they are.
    """
    table, images = read_faces(faces), Images(faces)
    total, unchanged = table.filter(TESTED).num_rows, 0

    def changed() -> Iterator[Row]:
        nonlocal unchanged
        start = 0
        for batch in images.batches(ROWS):  # the others too: some changes depend on the batch by rounding
            rows = zip(table.slice(start, len(batch)).to_pylist(), batch, strict=True)
            tested = [(row, image) for row, image in rows if row["split"] != "train"]
            for row in change([row for row, _ in tested], [image for _, image in tested]):
                unchanged += attributes_of(row).get(mark) == "no"
                yield row
            start += len(batch)

    write_face_rows(track(changed(), doing, total, "face"), out)
    return total, unchanged


def attributes_of(row: Row) -> dict[str, str]:
    """A row's attributes; none where it has none."""
    return dict(row["attributes"] or [])
