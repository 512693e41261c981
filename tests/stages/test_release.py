"""release: a model is packaged whatever it reaches, and approved only if every gate passes."""

import json
from pathlib import Path

import onnx
import pytest
import torch

from lrfr import paths
from lrfr.core.alignment import TEMPLATE
from lrfr.errors import ParameterError, ResultError
from lrfr.files import read_json, write_json
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.landmarks.model_file import FILE as LANDMARK_FILE
from lrfr.nn.landmarks.network import CNN6
from lrfr.nn.model_file import FILE, Facts, Model, TrainedStep, read_model, write_model
from lrfr.stages import release
from tests.face_tables import write_params

ARCHITECTURE = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=8, input_size=16, dropout=0.0)
TRAINED = [
    TrainedStep(step="pretrain main", faces={"auxiliary": 24}, passes={"auxiliary": 16.0}, updates=48),
    TrainedStep(step="training", faces={"native": 20}, passes={"native": 1.5}, updates=4),
]
RUNS = {"floor": {"method": "random", "backbone": "main"}, "best": {"method": "baseline", "backbone": "main"}}
FOLDER = Path("releases/tiny-face-embedder")


def result(low, high):
    middle = (low + high) / 2
    found = {"n_probe": 20, "n_gallery": 30}
    for figure in ("rank1", "rank20", "map"):
        found |= {figure: middle, f"{figure}_interval": [low, high]}
    return {"sets": {"benchmark": {"distractors": found, "no_distractors": found}}}


def parameters(runs=RUNS, run="best"):
    chosen = {"run": run, "name": "tiny-face-embedder", "version": "v0.1.0"}
    write_params(release=chosen, methods=runs, threads=1)


def write(facts=None, landmarks=None):
    torch.manual_seed(0)
    facts = facts or Facts(metric="euclidean", trained=TRAINED, head={"name": "Softmax"})
    write_model(paths.model("best"), Model(Embedder(ARCHITECTURE).eval(), facts, landmarks=landmarks))


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parameters()
    write()
    write_json(paths.metrics("best"), result(0.5, 0.6))
    write_json(paths.metrics("floor"), result(0.1, 0.2))
    for path in (paths.VALIDATION_RESULT, paths.SYNLR_VALIDATION, paths.SYNTHETIC_VALIDATION):
        write_json(path, {"success": True})


def released():
    release.run()
    return read_json(FOLDER / "release.json"), (FOLDER / "model_card.md").read_text()


def test_a_model_that_passes_every_gate_is_approved(capsys):
    told, card = released()
    assert told["approved"] and all(gate["passed"] for gate in told["sign_off"])
    assert "gto register tiny-face-embedder --version v0.1.0" in capsys.readouterr().out
    assert {path.name for path in FOLDER.iterdir()} == {FILE, "model.onnx", "model_card.md", "release.json"}
    before, after = read_model(paths.model("best")), read_model(FOLDER)
    assert after.facts == before.facts
    for name, value in before.embedder.state_dict().items():
        assert torch.equal(value, after.embedder.state_dict()[name])
    assert "Approved for release." in card and "| run | `best` |" in card


@pytest.mark.parametrize("gate", range(3))
def test_a_model_that_fails_a_gate_is_packaged_and_not_approved(gate, monkeypatch, capsys):
    if gate == 0:
        write_json(paths.SYNLR_VALIDATION, {"success": False})
    elif gate == 1:
        write_json(paths.metrics("floor"), result(0.4, 0.51))  # the intervals overlap
    else:
        monkeypatch.setattr(release, "export_onnx", lambda *given: 1e-3)
    told, card = released()
    assert [one["passed"] for one in told["sign_off"]] == [number != gate for number in range(3)]
    assert not told["approved"] and "**Not approved for release**" in card and "FAILED" in card
    assert "NOT approved" in capsys.readouterr().out


def test_what_the_model_says_of_itself_is_told():
    told, card = released()
    facts = read_model(paths.model("best")).facts.model_dump()
    assert {name: told[name] for name in facts} == facts
    assert "compared by euclidean" in card and "as they are cropped" in card
    assert "pretrain main: 16.0 passes over 24 auxiliary faces" in card
    assert "training: 1.5 passes over 20 native faces" in card
    properties = {one.key: one.value for one in onnx.load(str(FOLDER / "model.onnx")).metadata_props}
    assert json.loads(properties["facts"]) == facts
    assert (properties["presentation"], properties["metric"]) == ("as_cropped", "euclidean")


def test_an_aligned_model_has_its_landmark_network_beside_it_and_an_imported_one_its_licence():
    facts = Facts(presentation="arcface_112", trained=TRAINED, provenance={"file": "r18.pt", "licence": "MIT"})
    write(facts, CNN6(0.05, torch.tensor(TEMPLATE.ravel() * 64 / 112, dtype=torch.float32)))
    _, card = released()
    assert (FOLDER / LANDMARK_FILE).read_bytes() == (paths.model("best") / LANDMARK_FILE).read_bytes()
    assert "arcface_112" in card and "landmarks.safetensors" in card
    assert "| started from | r18.pt, licence: MIT |" in card


def test_equal_models_give_equal_bytes():
    released()
    first = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    released()
    assert {path.name: path.read_bytes() for path in FOLDER.iterdir()} == first


def test_what_cannot_be_released_is_told():
    parameters(run="bset")
    with pytest.raises(ParameterError, match=r"unknown run 'bset'(.|\n)*release.run(.|\n)*did you mean 'best'"):
        release.run()
    parameters(runs={"best": RUNS["best"]})
    with pytest.raises(ParameterError, match=r"no run has the method 'random'(.|\n)*backbone: main"):
        release.run()
    parameters()
    paths.metrics("floor").unlink()
    with pytest.raises(ResultError, match=r"metrics/runs/floor\.json"):
        release.run()
    assert not FOLDER.exists()
