"""Everything that the data card tells, read from what other stages wrote."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from lrfr import paths
from lrfr.card.settings import Card, check_people
from lrfr.config import Params
from lrfr.core.names import Name
from lrfr.core.verdicts import Verdict
from lrfr.curation import Curate, Split
from lrfr.errors import ResultError
from lrfr.faces import ENROLMENT_SCHEMA, EXCLUDED_SCHEMA, FINDING_SCHEMA, PAIR_SCHEMA, read_faces, read_table
from lrfr.files import read_json
from lrfr.manifests import read_manifests, read_names

METADATA = ["face_id", "source", "width", "height", "identity", "split", "attributes"]
HOLDS = {
    paths.BENCHMARK: "The benchmark: tiny faces to train on, to look for and to be found.",
    paths.AUXILIARY: "The auxiliary set: faces of other people in high resolution, to train on.",
}


@dataclass(frozen=True)
class PackedFile:
    """A table that is handed on: its path in the project, what it holds, its size in bytes and its digest."""

    path: Path
    holds: str
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True)
class TestSet:
    """An imported test set; ``faces`` without the images."""

    __test__ = False  # not pytest's

    source: str
    faces: pa.Table
    pairs: int
    enrolled: int
    excluded: pa.Table


@dataclass(frozen=True)
class Facts:
    """Face tables are without their images; ``people`` and ``simulated`` are the verdicts of all manifests, ``names``
    the names that people gave."""

    params: Params
    card: Card
    curate: Curate
    split: Split
    benchmark: pa.Table
    auxiliary: pa.Table
    excluded: pa.Table
    unused: pa.Table
    findings: pa.Table
    people: list[Verdict]
    simulated: list[Verdict]
    names: list[Name]
    test_sets: dict[str, TestSet]
    detection: dict[str, Any]
    curation: dict[str, Any]
    labellers: dict[str, Any]
    validation: dict[str, Any]
    files: list[PackedFile]


def read_facts(params: Params) -> Facts:
    """Reads the tables, manifests and results of the stages up to validation.

    Raises:
        FaceTableError, ResultError: a table or a result is missing or cannot be read; it says which.
        VerdictError: a manifest has a line that cannot be right.
        ParameterError: the card speaks of generated people, and there are others.
    """
    card = params.read("card", Card)
    check_people(card, params.acquire)
    benchmark, auxiliary = (read_faces(path, METADATA) for path in HOLDS)
    return Facts(
        params=params,
        card=card,
        curate=params.read("curate", Curate),
        split=params.read("split", Split),
        benchmark=benchmark,
        auxiliary=auxiliary,
        excluded=read_faces(paths.EXCLUDED, METADATA),
        unused=read_table(paths.UNUSED, EXCLUDED_SCHEMA),
        findings=read_table(paths.FINDINGS, FINDING_SCHEMA),
        people=read_manifests(paths.VERDICTS),
        simulated=read_manifests(paths.SIMULATED_VERDICTS),
        names=read_names(),
        test_sets={name: _test_set(name, chosen.source) for name, chosen in params.evaluation_sets.items()},
        detection=read_json(paths.DETECTION_METRICS, "lrfr detect"),
        curation=read_json(paths.CURATION_METRICS, "lrfr curate"),
        labellers=read_json(paths.LABELLER_METRICS, "lrfr curate"),
        validation=_validation(),
        files=[_packed(path, rows) for path, rows in zip(HOLDS, (len(benchmark), len(auxiliary)), strict=True)],
    )


def _validation() -> dict[str, Any]:
    """The validation's result; a card of data that failed it would say what is not so."""
    result = read_json(paths.VALIDATION_RESULT, "lrfr validate")
    if not result["success"]:
        remedy = f"open {paths.QUALITY_PAGE}; correct the data or params.yaml, then: dvc repro"
        raise ResultError("the data does not meet its expectations", where=paths.VALIDATION_RESULT, remedy=remedy)
    return result


def _test_set(name: str, source: str) -> TestSet:
    return TestSet(
        source=source,
        faces=read_faces(paths.test_set(name), METADATA),
        pairs=len(read_table(paths.test_set(name, "pairs"), PAIR_SCHEMA, ["same"])),
        enrolled=len(read_table(paths.test_set(name, "enrolment"), ENROLMENT_SCHEMA)["template"].unique()),
        excluded=read_table(paths.test_set(name, "excluded"), EXCLUDED_SCHEMA),
    )


def _packed(path: Path, rows: int) -> PackedFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return PackedFile(path, HOLDS[path], rows, path.stat().st_size, digest)
