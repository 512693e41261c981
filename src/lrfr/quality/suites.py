"""Every suite of the pipeline, each with the tables that it looks at."""

import pandas as pd
import pyarrow as pa

from lrfr import paths
from lrfr.config import Params
from lrfr.faces import (
    ENROLMENT_SCHEMA,
    FINDING_SCHEMA,
    PAIR_SCHEMA,
    PHOTO_SCHEMA,
    TAG_SCHEMA,
    TRUTH_SCHEMA,
    read_faces,
    read_table,
)
from lrfr.manifests import read_manifests
from lrfr.quality.acquired import photo_suite, tag_suite, truth_suite
from lrfr.quality.curated import finding_suite, unused_suite, verdict_suite
from lrfr.quality.expectations import Suite, auxiliary_suite, benchmark_suite, identity_suite
from lrfr.quality.mounted import Training, mounted_suites
from lrfr.quality.tables import identity_frame, known_faults

PHOTO_COLUMNS = ["photo_id", "source", "collection", "width", "height"]
SET_ASIDE_COLUMNS = ["face_id", "source", "attributes"]


def every_suite(benchmark: pd.DataFrame, auxiliary: pd.DataFrame, used: Training, params: Params) -> list[Suite]:
    """What is trained and tested on first, then what it was made of, then the test sets beside it.

    Args:
        benchmark: as :func:`lrfr.quality.tables.face_frame` gives it.
        auxiliary: the same.
        used: what is trained on.
        params: limits, and the names of the test sets.

    Raises:
        FaceTableError: a table is missing, or misses a column.
        VerdictError: a manifest has a line that cannot be right.
    """
    findings = read_table(paths.FINDINGS, FINDING_SCHEMA)
    return [
        *_split_suites(benchmark, auxiliary, findings, params),
        *_photo_suites(),
        *_curation_suites({*benchmark["face_id"], *auxiliary["face_id"]}, findings, params),
        *(suite for name in params.evaluation_sets for suite in _mounted_suites(name, used)),
    ]


def _split_suites(benchmark: pd.DataFrame, auxiliary: pd.DataFrame, findings: pa.Table, params: Params) -> list[Suite]:
    side, limits = params.curate.max_side, params.validate_
    checked, note = known_faults(benchmark, findings)
    return [
        benchmark_suite(checked, limits, side, note),
        auxiliary_suite(auxiliary, benchmark, side),
        identity_suite(identity_frame(benchmark, auxiliary), limits),
    ]


def _photo_suites() -> list[Suite]:
    """Where the faces were found; nothing where they came already cut."""
    photos = read_table(paths.PHOTOS, PHOTO_SCHEMA, PHOTO_COLUMNS)
    tags, truth = read_table(paths.TAGS, TAG_SCHEMA), read_table(paths.TRUTH, TRUTH_SCHEMA)
    suites = [photo_suite(photos), tag_suite(tags, photos), truth_suite(truth, photos)]
    return [suite for suite in suites if len(suite.frame)]


def _curation_suites(used: set[str], findings: pa.Table, params: Params) -> list[Suite]:
    """What was set aside and why; ``used`` are the face_ids of the benchmark and the auxiliary set."""
    aside = read_faces(paths.SET_ASIDE, SET_ASIDE_COLUMNS)
    unrecognizable = read_faces(paths.DETECTED_UNRECOGNIZABLE, SET_ASIDE_COLUMNS)
    gone, found = set(aside["face_id"].to_pylist()), set(findings["face_id"].to_pylist())
    tables = [read_faces(paths.mounted(name), ["face_id"]) for name in params.evaluation_sets]
    mounted = {face_id for table in tables for face_id in table["face_id"].to_pylist()}
    return [
        unused_suite("set_aside", "Faces set aside", aside, used),
        unused_suite("unrecognizable", "Unrecognizable faces", unrecognizable, used),
        finding_suite(findings, gone, used, mounted),
        verdict_suite(read_manifests(paths.VERDICTS), read_manifests(paths.SIMULATED_VERDICTS), found, used),
    ]


def _mounted_suites(name: str, used: Training) -> list[Suite]:
    faces, pairs = read_faces(paths.mounted(name)), read_table(paths.mounted(name, "pairs"), PAIR_SCHEMA)
    return mounted_suites(name, faces, pairs, read_table(paths.mounted(name, "enrolment"), ENROLMENT_SCHEMA), used)
