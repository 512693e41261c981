"""`lrfr label-errors`: the list that the review page orders by."""

import csv

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from lrfr import cli, paths
from lrfr.faces import FACE_SCHEMA, write_faces
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.model_file import Model, write_model
from lrfr.stages.label_errors import KINDS
from tests.face_tables import face, face_table, write_params


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Kept faces of four people, and what was excluded."""
    monkeypatch.chdir(tmp_path)
    write_params()
    kept = face_table().to_pylist()
    rng = np.random.default_rng(1)
    aside = [
        face(rng, f"aside {n}", 20, attributes=[("collection", collection), ("reason", reason)])
        for n, (collection, reason) in enumerate(
            [("native", "not_face")] * 5 + [("native", "unverified"), ("native", "too_large"), ("auxiliary", "leaked")]
        )
    ]
    aside[6]["image"] = b"torn"
    write_faces(pa.Table.from_pylist(kept, FACE_SCHEMA), paths.CURATED_NATIVE)
    write_faces(pa.Table.from_pylist(aside, FACE_SCHEMA), paths.EXCLUDED)
    architecture = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=16, input_size=32, dropout=0.0)
    write_model(paths.pretrained("main"), Model(Embedder(architecture)))
    return kept, aside


def label_errors(*options):
    return CliRunner().invoke(cli.app, ["label-errors", *options])


def test_each_face_that_is_not_called_none_is_listed_most_suspicious_first(project):
    kept, aside = project
    result = label_errors()
    assert result.exit_code == 0, result.output
    assert "lrfr review --labeller NAME --order label-errors" in result.output
    written = paths.LABEL_ERRORS.read_bytes()
    rows = list(csv.DictReader(written.decode().splitlines()))
    by_kind = {kind: {row["face_id"] for row in rows if row["kind"] == kind} for kind in KINDS}
    assert by_kind["wrong_identity"] == {row["face_id"] for row in kept}
    assert by_kind["not_a_face"] == {row["face_id"] for row in kept} | {aside[5]["face_id"]}
    error_probability = [float(row["error_probability"]) for row in rows]
    assert (
        error_probability == sorted(error_probability, reverse=True)
        and 0 <= error_probability[-1] <= error_probability[0] <= 1
    )
    identity = {row["face_id"]: row["identity"] for row in kept}
    suggested = {row["face_id"]: row["suggested"] for row in rows if row["kind"] == "wrong_identity"}
    assert all(name in identity.values() and name != identity[face_id] for face_id, name in suggested.items())
    label_errors()
    assert paths.LABEL_ERRORS.read_bytes() == written


def test_a_model_that_is_not_there_is_said(project):
    assert "unknown model 'basline'" in label_errors("--model", "basline").stderr
    result = label_errors("--model", "baseline")
    assert result.exit_code == 1 and "dvc repro" in result.stderr
