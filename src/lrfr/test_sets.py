"""The sets of faces that models are tested on, and how their faces are written once more after a change."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc

from lrfr import paths
from lrfr.config import BENCHMARK, FileName, Params, Section
from lrfr.faces import Row, read_faces, write_face_rows
from lrfr.files import read_json
from lrfr.images import Images
from lrfr.progress import track

ROWS = 1024  # faces in memory at a time: the loose crops of IJB-C do not all fit

TESTED = pc.field("split").is_null() | (pc.field("split") != "train")

Change = Callable[[list[Row], list[bytes]], Iterable[Row]]


class SynLR(Section):
    """The SynLR set: ``faces`` is the evaluation set whose HR faces are shrunk; with ``training`` it has a training
    half as well, as the benchmark has."""

    faces: FileName
    training: bool = False


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
        TestSet(BENCHMARK, paths.BENCHMARK, "tinyface", has_landmarks=False),
        TestSet("synlr", paths.SYNLR, "synlr"),
    ]
    return made + [_imported(name) for name in params.evaluation_sets]


def faces_of(name: str) -> Path:
    """The face table of the test set of that name, the faces in it that train included."""
    return {BENCHMARK: paths.BENCHMARK, "synlr": paths.SYNLR}.get(name) or paths.test_set(name)


def _imported(name: str) -> TestSet:
    facts = read_json(paths.test_set_facts(name), f"lrfr import-testset {name}")
    return TestSet(name, paths.test_set(name), facts["protocol"], has_lists=True)


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
