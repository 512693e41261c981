"""package: a model is packaged whatever it reaches, and approved only if every gate passes."""

import json

import numpy as np
import onnx
import onnxruntime
import pyarrow.parquet as pq
import pytest
import torch

from lrfr import paths
from lrfr.core.image_statistics import STATISTICS
from lrfr.errors import ParameterError, ResultError
from lrfr.faces import read_faces
from lrfr.files import read_json, write_json
from lrfr.nn.landmarks.model_file import FILE as LANDMARK_FILE
from lrfr.nn.landmarks.network import SIDE
from lrfr.nn.model_file import FILE, Facts, read_model
from lrfr.release import sign_off
from lrfr.stages import package
from tests.release.project import (
    PACKAGE,
    RUNS,
    TRAINED,
    landmark_network,
    parameters,
    result,
    write_best,
    write_faces_and_outcomes,
    write_project,
)

FILES = {
    FILE,
    "model.onnx",
    "README.md",
    "release.json",
    "metrics.json",
    "reference.parquet",
    "calibration.json",
    "sample",
}


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_project()


def packaged():
    package.run()
    return read_json(PACKAGE / "release.json"), (PACKAGE / "README.md").read_text()


def contents():
    return {str(path): path.read_bytes() for path in PACKAGE.rglob("*") if path.is_file()}


def test_a_model_that_passes_every_gate_is_approved(capsys):
    told, card = packaged()
    assert told["approved"] and all(gate["passed"] for gate in told["sign_off"])
    assert "v0.1.0 is packaged and approved" in capsys.readouterr().out
    assert {path.name for path in PACKAGE.iterdir()} == FILES
    before, after = read_model(paths.model("best")), read_model(PACKAGE)
    assert after.facts == before.facts
    for name, value in before.embedder.state_dict().items():
        assert torch.equal(value, after.embedder.state_dict()[name])
    assert "Approved for release." in card and "| run | `best` |" in card
    assert read_json(PACKAGE / "metrics.json") == read_json(paths.metrics("best"))


@pytest.mark.parametrize("gate", range(4))
def test_a_model_that_fails_a_gate_is_packaged_and_not_approved(gate, monkeypatch, capsys):
    write_best(Facts(presentation="arcface_112", trained=TRAINED), landmark_network())
    if gate == 0:
        write_json(paths.SYNLR_VALIDATION, {"success": False})
    elif gate == 1:
        write_json(paths.metrics("floor"), result(0.4, 0.51))  # the intervals overlap
    elif gate == 2:
        monkeypatch.setattr(sign_off, "ONNX_TOLERANCE", 0)
    else:
        monkeypatch.setattr(package, "export_landmarks", lambda *given: 0.1)
    told, card = packaged()
    assert [one["passed"] for one in told["sign_off"]] == [number != gate for number in range(4)]
    assert not told["approved"] and "**Not approved for release**" in card and "FAILED" in card
    assert "NOT approved" in capsys.readouterr().out


def test_what_the_model_says_of_itself_is_told():
    told, card = packaged()
    facts = read_model(paths.model("best")).facts.model_dump()
    assert {name: told[name] for name in facts} == facts
    assert "compared by euclidean" in card and "as they are cropped" in card
    assert "pretrain main: 16.0 passes over 24 auxiliary faces" in card
    assert "training: 1.5 passes over 20 native faces" in card
    assert told["contract"] == {
        "presentation": "as_cropped", "template": None, "size": [16, 16], "interpolation": "bilinear",
        "colour": "RGB", "range": [0, 1], "dimension": 8, "metric": "euclidean", "quality": None,
    }  # fmt: skip
    properties = {one.key: one.value for one in onnx.load(str(PACKAGE / "model.onnx")).metadata_props}
    assert json.loads(properties["facts"]) == facts
    assert (properties["presentation"], properties["metric"]) == ("as_cropped", "euclidean")


def test_an_aligned_model_has_its_landmark_network_beside_it_and_an_imported_one_its_licence():
    facts = Facts(presentation="arcface_112", trained=TRAINED, provenance={"file": "r18.pt", "licence": "MIT"})
    network = landmark_network()
    write_best(facts, network)
    told, card = packaged()
    assert (PACKAGE / LANDMARK_FILE).read_bytes() == (paths.model("best") / LANDMARK_FILE).read_bytes()
    assert "arcface_112" in card and "landmarks.safetensors" in card and "landmarks.onnx" in card
    assert "\n| started from | r18.pt, licence: MIT |\n" in card
    assert "\nlicense: other\nlicense_name: MIT\n" in card
    assert told["contract"]["template"]["side"] == 112 and len(told["contract"]["template"]["points"]) == 5
    images = np.random.default_rng(0).random((3, 3, SIDE, SIDE), np.float32)
    session = onnxruntime.InferenceSession(str(PACKAGE / "landmarks.onnx"))
    (points,) = session.run(["points"], {"images": images})
    with torch.inference_mode():
        assert np.abs(points - network(torch.from_numpy(images)).numpy()).max() < 1e-3
    write_best()
    packaged()
    assert {path.name for path in PACKAGE.iterdir()} == FILES  # nothing of the former model stays


def test_equal_models_give_equal_bytes():
    write_best(Facts(presentation="arcface_112", trained=TRAINED), landmark_network())
    packaged()
    first = contents()
    packaged()
    assert contents() == first


def test_results_by_face_size_and_by_the_groups_that_the_data_has():
    def grouped(benchmark):
        for number, row in enumerate(benchmark):
            row["attributes"] = [
                ("camera", "ab"[number // 2 % 2]),
                ("name", f"file {number}"),
                ("collection", "native"),
            ]
            if number % 5 == 0:
                row["attributes"] = row["attributes"][1:]

    write_faces_and_outcomes(grouped)
    told, card = packaged()
    with np.load(paths.evaluated("best")) as stored:
        rank = dict(zip(stored["face_id"].tolist(), stored["rank"].tolist(), strict=True))
    rows = [row for row in read_faces(paths.BENCHMARK).to_pylist() if row["face_id"] in rank]
    assert set(told["results_by"]) == {"size", "camera"}  # a name tells every face apart, a collection none
    for group in told["results_by"]["camera"]:
        wanted = None if group["group"] == "not stated" else group["group"]
        members = [row for row in rows if dict(row["attributes"]).get("camera") == wanted]
        assert group["n_probe"] == len(members)
        assert group["rank1"] == pytest.approx(np.mean([rank[row["face_id"]] == 1 for row in members]), abs=1e-6)
    sizes = told["results_by"]["size"]
    assert sum(group["n_probe"] for group in sizes) == len(rows)
    small = [row for row in rows if 12 <= min(row["width"], row["height"]) <= 15]
    assert [group["n_probe"] for group in sizes if group["group"] == "12 to 15 px"] == [len(small)]
    assert "By camera; with distractors." in card and "no attribute that makes groups" not in card
    write_faces_and_outcomes()
    assert "no attribute that makes groups" in packaged()[1]


def test_the_reference_sample_has_numbers_and_no_pictures():
    packaged()
    table = pq.read_table(PACKAGE / "reference.parquet")
    assert table.column_names == [*STATISTICS, "score", "embedding"]
    tested = [row for row in read_faces(paths.BENCHMARK).to_pylist() if row["split"] != "train"]
    assert sorted(table["height"].to_pylist()) == sorted(float(row["height"]) for row in tested)
    with np.load(paths.embeddings("best", "benchmark")) as stored:
        kept = {tuple(row) for row in stored["embedding"].tolist()}
    assert {tuple(row) for row in table["embedding"].to_pylist()} <= kept


def test_the_kept_sample_does_not_say_who_is_on_it():
    packaged()
    kept = read_faces(PACKAGE / "sample" / "faces.parquet").to_pylist()
    names = {row["identity"] for row in read_faces(paths.BENCHMARK).to_pylist()}
    assert {row["split"] for row in kept} == {"probe", "gallery", "distractor"}
    assert not names & {row["identity"] for row in kept} - {None}
    assert not any(row[column] for row in kept for column in ("photo_id", "box", "landmarks", "attributes"))


def test_what_cannot_be_packaged_is_told():
    parameters(run="bset")
    with pytest.raises(ParameterError, match=r"unknown run 'bset'(.|\n)*release.run(.|\n)*did you mean 'best'"):
        package.run()
    parameters(runs={"best": RUNS["best"]})
    with pytest.raises(ParameterError, match=r"no run has the method 'random'(.|\n)*backbone: main"):
        package.run()
    for lacking in ("intended_use", "out_of_scope", "limits", "licence"):
        told = {"licence": "mit", "intended_use": ["a"], "out_of_scope": ["b"], "limits": ["c"]}
        parameters(model_card={name: value for name, value in told.items() if name != lacking})
        with pytest.raises(ParameterError, match=lacking):
            package.run()
    parameters(model_card=told | {"limits": []})
    with pytest.raises(ParameterError, match="model_card: limits"):
        package.run()
    parameters()
    whole = paths.evaluated("best").read_bytes()
    for damaged, what in ((b"", "cannot be read"), (whole[:-30], "cannot be read"), (None, "a result is missing")):
        paths.evaluated("best").unlink()
        if damaged is not None:
            paths.evaluated("best").write_bytes(damaged)
        with pytest.raises(ResultError, match=rf"{what}(.|\n)*best\.npz"):
            package.run()
    paths.evaluated("best").write_bytes(whole)
    paths.metrics("floor").unlink()
    with pytest.raises(ResultError, match=r"metrics/runs/floor\.json"):
        package.run()
    assert not PACKAGE.exists()
