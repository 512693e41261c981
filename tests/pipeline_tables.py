"""A sound set of all tables that the stages up to the split leave, for the tests of the stages that look at them."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lrfr import paths
from lrfr.core.verdicts import ADJUDICATED, Verdict, render
from lrfr.faces import (
    ENROLMENT_SCHEMA,
    EXCLUDED_SCHEMA,
    FACE_SCHEMA,
    FINDING_SCHEMA,
    PAIR_SCHEMA,
    PHOTO_SCHEMA,
    TAG_SCHEMA,
    TRUTH_SCHEMA,
)
from lrfr.files import write_json, write_text
from tests.face_tables import face, split_rows

Tables = dict[str, list[dict]]

PLACES: dict[str, tuple[Path, pa.Schema]] = {
    "photos": (paths.PHOTOS, PHOTO_SCHEMA),
    "tags": (paths.TAGS, TAG_SCHEMA),
    "truth": (paths.TRUTH, TRUTH_SCHEMA),
    "unused": (paths.UNUSED, EXCLUDED_SCHEMA),
    "unrecognizable": (paths.UNRECOGNIZABLE, FACE_SCHEMA),
    "curated_unrecognizable": (paths.CURATED_UNRECOGNIZABLE, FACE_SCHEMA),
    "excluded": (paths.EXCLUDED, FACE_SCHEMA),
    "findings": (paths.FINDINGS, FINDING_SCHEMA),
    "benchmark": (paths.BENCHMARK, FACE_SCHEMA),
    "auxiliary": (paths.AUXILIARY, FACE_SCHEMA),
    "imported": (paths.test_set("distractors"), FACE_SCHEMA),
    "pairs": (paths.test_set("distractors", "pairs"), PAIR_SCHEMA),
    "enrolment": (paths.test_set("distractors", "enrolment"), ENROLMENT_SCHEMA),
    "missing": (paths.test_set("distractors", "excluded"), EXCLUDED_SCHEMA),
}
TEST_SETS = {"distractors": {"source": "generated_distractors", "root": "src"}}
PHOTO = {"source": "test", "collection": "native", "image": b"", "width": 640, "height": 480}
BOX = [10.0, 20.0, 15.0, 18.0]


def sound_tables() -> Tables:
    """Rows of every table of ``PLACES``, and the lines of two manifests."""
    rng = np.random.default_rng(7)
    benchmark, auxiliary = split_rows()
    aside = [face(rng, f"aside {n}", 20, attributes=[("reason", "not_face")]) for n in range(2)]
    imported = [
        face(rng, f"imported {n}", 24, source="distractors", identity=f"n{n // 2:03}", 
             split=("probe", "gallery")[n % 2], attributes=[("template", f"t{n}")])
        for n in range(6)
    ]  # fmt: skip
    finding = dict.fromkeys(FINDING_SCHEMA.names) | {"reason": "not_face", "excluded": True}
    return {
        "photos": [PHOTO | {"photo_id": f"photo {n}"} for n in range(4)],
        "tags": [{"photo_id": f"photo {n}", "identity": f"n{n:03}", "box": BOX} for n in range(3)],
        "truth": [{"photo_id": f"photo {n}", "identity": None, "box": BOX, "recognizable": True} for n in range(3)],
        "unused": [{"where": "notes.txt", "reason": "not_image"}],
        "unrecognizable": [face(rng, "pedestrian", 20)],
        "curated_unrecognizable": [],
        "excluded": aside,
        "findings": [finding | {"face_id": row["face_id"]} for row in aside],
        "benchmark": benchmark,
        "auxiliary": auxiliary,
        "imported": imported,
        "pairs": [
            {"left": imported[0]["face_id"], "right": imported[n]["face_id"], "same": n == 1, "fold": n % 2}
            for n in range(1, 6)
        ],
        "enrolment": [{"template": f"t{n}", "identity": f"n{n // 2:03}", "role": "G1"} for n in range(6)],
        "missing": [],
        "manifests": [
            {"face_id": row["face_id"], "verdict": verdict, "labeller": who, "manifest": who}
            for row, verdict in ((aside[0], "not_face"), (benchmark[0], "face"), (benchmark[1], "face"))
            for who in ("anna", ADJUDICATED)
        ],
    }


def write_sound_tables(change: Callable[[Tables], object] = lambda tables: None) -> None:
    """Writes all tables, manifests and metrics into the current folder, after a change; nothing is checked."""
    tables = sound_tables()
    change(tables)
    for name, (path, schema) in PLACES.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        nullable = pa.schema([field.with_nullable(True) for field in schema])
        pq.write_table(pa.Table.from_pylist(tables[name], nullable), path)
    at = datetime(2024, 5, 1, tzinfo=UTC)
    for who in ("anna", ADJUDICATED):
        lines = [Verdict(**line, at=at, note="", line=0) for line in tables["manifests"]]
        write_text(paths.VERDICTS / f"{who}.csv", render(line for line in lines if line.manifest == who))
    write_json(paths.LABELLER_METRICS, {"agreement": None, "on_gold": {}})
    photos = {"native": 4, "auxiliary": 0, "unreadable": 1, "without_face": 2}
    found = {"native": 60, "auxiliary": 30}
    write_json(
        paths.DETECTION_METRICS, {"photos": photos, "faces": found, "already_cut": {"native": 0}, "by_height": []}
    )
    curation = {"detected": 92, "kept": 90, "excluded": {"not_face": 2}, "adjudicated": 3}
    write_json(paths.CURATION_METRICS, curation)
