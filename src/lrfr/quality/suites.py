"""Every suite of the pipeline, each with the tables that it looks at."""

import pandas as pd
import pyarrow as pa

from lrfr import paths
from lrfr.config import Params
from lrfr.curation import Curate
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
from lrfr.manifests import read_manifests, read_names
from lrfr.quality.acquired import photo_suite, tag_suite, truth_suite
from lrfr.quality.curated import excluded_suite, finding_suite, name_suite, unrecognizable_suite, verdict_suite
from lrfr.quality.expectations import Suite, auxiliary_suite, benchmark_suite, identity_suite
from lrfr.quality.limits import Validate
from lrfr.quality.tables import identity_frame, known_faults, pictured
from lrfr.quality.test_sets import Training, test_set_suites

PHOTO_COLUMNS = ["photo_id", "source", "collection", "width", "height"]
EXCLUDED_COLUMNS = ["face_id", "source", "attributes"]


def every_suite(
    benchmark: pd.DataFrame, auxiliary: pd.DataFrame, unrecognizable: pa.Table, used: Training, params: Params
) -> list[Suite]:
    """What is trained and tested on first, then what it was made of, then the test sets beside it.

    Args:
        benchmark: as :func:`lrfr.quality.tables.face_frame` gives it.
        auxiliary: the same.
        unrecognizable: the faces that nobody recognises, as :func:`lrfr.quality.tables.pictured` gives them.
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
        unrecognizable_suite(unrecognizable, benchmark, {*benchmark["face_id"], *auxiliary["face_id"]}),
        *_curation_suites({*benchmark["face_id"], *auxiliary["face_id"]}, findings, params),
        *_name_suites(benchmark, findings),
        *(suite for name in params.evaluation_sets for suite in _test_set_suites(name, used)),
    ]


def _split_suites(benchmark: pd.DataFrame, auxiliary: pd.DataFrame, findings: pa.Table, params: Params) -> list[Suite]:
    side, limits = params.read("curate", Curate).max_side, params.read("validate", Validate)
    checked, note = known_faults(benchmark, findings)
    suites = [
        benchmark_suite(checked, limits, side, note),
        auxiliary_suite(auxiliary, benchmark, side),
        identity_suite(identity_frame(benchmark, auxiliary), limits, has_auxiliary=bool(len(auxiliary))),
    ]
    return [suite for suite in suites if suite.name != "auxiliary" or len(auxiliary)]


def _photo_suites() -> list[Suite]:
    """Where the faces were found; nothing where they came already cut."""
    photos = read_table(paths.PHOTOS, PHOTO_SCHEMA, PHOTO_COLUMNS)
    tags, truth = read_table(paths.TAGS, TAG_SCHEMA), read_table(paths.TRUTH, TRUTH_SCHEMA)
    suites = [photo_suite(photos), tag_suite(tags, photos), truth_suite(truth, photos)]
    return [suite for suite in suites if len(suite.frame)]


def _curation_suites(used: set[str], findings: pa.Table, params: Params) -> list[Suite]:
    """What was excluded and why; ``used`` are the face_ids of the benchmark and the auxiliary set."""
    aside = read_faces(paths.EXCLUDED, EXCLUDED_COLUMNS)
    unrecognizable = read_faces(paths.CURATED_UNRECOGNIZABLE, ["face_id"])["face_id"].to_pylist()
    gone, found = set(aside["face_id"].to_pylist()), set(findings["face_id"].to_pylist())
    tables = [read_faces(paths.test_set(name), ["face_id"]) for name in params.evaluation_sets]
    imported = {face_id for table in tables for face_id in table["face_id"].to_pylist()}
    return [
        excluded_suite(aside, used),
        finding_suite(findings, gone, used, {*imported, *unrecognizable}),
        verdict_suite(read_manifests(paths.VERDICTS), read_manifests(paths.SIMULATED_VERDICTS), found, used),
    ]


def _name_suites(benchmark: pd.DataFrame, findings: pa.Table) -> list[Suite]:
    """What people named; nothing where nobody named a face."""
    given = read_names()
    identities = benchmark["identity"].astype(object).where(benchmark["identity"].notna(), None)
    used = dict(zip(benchmark["face_id"], identities, strict=True))
    return [name_suite(given, used, set(findings["face_id"].to_pylist()))] if given else []


def _test_set_suites(name: str, used: Training) -> list[Suite]:
    faces, pairs = pictured(paths.test_set(name)), read_table(paths.test_set(name, "pairs"), PAIR_SCHEMA)
    return test_set_suites(name, faces, pairs, read_table(paths.test_set(name, "enrolment"), ENROLMENT_SCHEMA), used)
