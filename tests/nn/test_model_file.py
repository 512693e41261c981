import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from lrfr.errors import ParameterError, TrainingError
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.landmarks.model_file import FILE as LANDMARK_FILE
from lrfr.nn.landmarks.network import CNN6
from lrfr.nn.model_file import FILE, Facts, Model, TrainedStep, facts_of, read_facts, read_model, write_model

SMALL = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=16, input_size=32, dropout=0.1)
KNOWN = Facts(
    presentation="arcface_112",
    metric="euclidean",
    trained=[
        TrainedStep(step="pretrain main", faces={"auxiliary": 30}, passes={"auxiliary": 1.5}, updates=9),
        TrainedStep(
            step="training", faces={"auxiliary": 30, "native": 4}, passes={"auxiliary": 1, "native": 2}, updates=3
        ),
    ],
    head={"name": "ArcFace", "scale": 32.0, "margin": 0.4, "sample_rate": 1.0},
    quality="norm",
    provenance={"file": "weights.pt", "licence": "MIT"},
)


def embedder(**changes):
    torch.manual_seed(0)
    return Embedder(Architecture(**(SMALL.model_dump() | changes))).eval()


def test_a_model_is_read_as_it_was_written(tmp_path):
    model = Model(embedder(input_size=[32, 24]), prototypes=torch.randn(3, 16))
    write_model(tmp_path, model)
    first = (tmp_path / FILE).read_bytes()
    again = read_model(tmp_path)
    images = torch.rand(2, 3, 20, 20)
    assert torch.equal(model.embedder(images), again.embedder(images))
    assert not again.embedder.training
    assert torch.equal(model.prototypes, again.prototypes)
    assert (again.facts, again.landmarks) == (Facts(), None)
    write_model(tmp_path, again)
    assert (tmp_path / FILE).read_bytes() == first
    assert not (tmp_path / LANDMARK_FILE).exists()


def test_a_model_with_super_resolution_is_read_as_it_was_written(tmp_path):
    chosen = {"super_resolution": {"network": "srcnn", "width": 0.1}, "preprocessing": {"interpolation": "bicubic"}}
    written = embedder(**chosen)
    with torch.no_grad():
        written.super_resolution.layers[0].weight *= 0.8
    write_model(tmp_path, Model(written))
    again = read_model(tmp_path).embedder
    images = torch.rand(2, 3, 20, 20)
    assert again.architecture == written.architecture
    assert torch.equal(again(images), written(images))


def test_a_model_carries_its_facts_and_its_landmark_network(tmp_path):
    torch.manual_seed(1)
    model = Model(embedder(), KNOWN, torch.randn(3, 16), CNN6(0.125).eval())
    write_model(tmp_path, model)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([FILE, LANDMARK_FILE])
    again = read_model(tmp_path)
    assert again.facts == read_facts(tmp_path) == KNOWN
    images = torch.rand(2, 3, 64, 64)
    assert again.landmarks is not None and not again.landmarks.training
    assert torch.equal(again.landmarks(images), model.landmarks(images))
    written = {name: (tmp_path / name).read_bytes() for name in (FILE, LANDMARK_FILE)}
    write_model(tmp_path, again)
    assert {name: (tmp_path / name).read_bytes() for name in (FILE, LANDMARK_FILE)} == written


def test_the_facts_are_one_key_of_the_files_metadata(tmp_path):
    """Of several the order would differ from run to run; whoever has the file alone can read them."""
    write_model(tmp_path, Model(embedder(), KNOWN, landmarks=CNN6(0.125)))
    with safe_open(tmp_path / FILE, "pt") as file:
        metadata = file.metadata()
    assert list(metadata) == ["lrfr"]
    described = json.loads(metadata["lrfr"])
    assert described.pop("architecture") == SMALL.model_dump()
    assert described == KNOWN.model_dump()


def test_a_model_that_takes_faces_as_cropped_leaves_no_former_landmark_network_behind(tmp_path):
    write_model(tmp_path, Model(embedder(), KNOWN, landmarks=CNN6(0.125)))
    write_model(tmp_path, Model(embedder()))
    assert [file.name for file in tmp_path.iterdir()] == [FILE]
    assert read_model(tmp_path).landmarks is None


def test_a_missing_landmark_network_is_one_clear_error(tmp_path):
    write_model(tmp_path, Model(embedder(), KNOWN, landmarks=CNN6(0.125)))
    (tmp_path / LANDMARK_FILE).unlink()
    with pytest.raises(
        TrainingError, match=r"^not a landmark network of lrfr(.|\n)*landmarks\.safetensors(.|\n)*dvc repro"
    ):
        read_model(tmp_path)
    assert read_facts(tmp_path) == KNOWN, "its facts are known all the same"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"presentation": "arcface_224"}, "there is no presentation 'arcface_224'; known: as_cropped, arcface_112"),
        ({"metric": "manhattan"}, "'cosine' or 'euclidean'"),
        ({"aligned": True}, "unknown parameter 'aligned'"),
        ({"trained": [{"step": "training"}]}, "parameter 'faces' is missing"),
    ],
)
def test_facts_that_are_none_are_refused_where_they_stand(tmp_path, changes, says):
    write_model(tmp_path, Model(embedder()))
    with safe_open(tmp_path / FILE, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        described = json.loads(file.metadata()["lrfr"])
    save_file(tensors, tmp_path / FILE, {"lrfr": json.dumps(described | changes)})
    for read in (read_model, read_facts):
        with pytest.raises(ParameterError, match=rf"{says}(.|\n)*model\.safetensors: metadata"):
            read(tmp_path)


@pytest.mark.parametrize("presentation", ["arcface", "", "as_cropped ", "112"])
def test_an_unknown_presentation_is_no_fact(presentation):
    with pytest.raises(ValueError, match="there is no presentation"):
        Facts(presentation=presentation)


def test_what_files_of_embeddings_carry_on(tmp_path):
    write_model(tmp_path, Model(embedder(), KNOWN, landmarks=CNN6(0.125)))
    carried = json.loads(facts_of(read_model(tmp_path), "0f"))
    assert carried.pop("model") == "0f"
    assert carried == KNOWN.model_dump(exclude={"head", "provenance"})
    fused = json.loads(facts_of(read_model(tmp_path), "0f", "mirror_sum"))
    assert fused["fusion"] == "mirror_sum"
    write_model(tmp_path, Model(embedder(), Facts()))
    assert json.loads(facts_of(read_model(tmp_path), "0f"))["presentation"] == "as_cropped"


def test_models_without_facts_take_faces_as_cropped_and_are_compared_by_the_cosine(tmp_path):
    """Models of the first version have their architecture alone, and no affine layer at the end."""
    model = Model(embedder())
    write_model(tmp_path, model)
    with safe_open(tmp_path / FILE, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    since = {f"embedder.backbone.output.4.{name}" for name in ("weight", "bias")}
    later = {"preprocessing", "super_resolution"}
    architecture = {name: value for name, value in SMALL.model_dump().items() if name not in later}
    old = {name: value for name, value in tensors.items() if name not in since}
    save_file(old, tmp_path / FILE, {"lrfr": json.dumps({"architecture": architecture})})
    images = torch.rand(2, 3, 20, 20)
    assert len(old) == len(tensors) - 2
    again = read_model(tmp_path)
    assert torch.equal(again.embedder(images), model.embedder(images))
    assert (again.facts.presentation, again.facts.metric, again.facts.trained) == ("as_cropped", "cosine", [])


def test_what_is_no_model_is_said(tmp_path):
    for read in (read_model, read_facts):
        with pytest.raises(TrainingError, match="not a model of lrfr"):
            read(tmp_path)
    for metadata in (None, {"lrfr": "{"}, {"lrfr": "[" * 100_000}):
        save_file({"a": torch.ones(1)}, tmp_path / FILE, metadata)
        for read in (read_model, read_facts):
            with pytest.raises(TrainingError, match="not a model of lrfr"):
                read(tmp_path)
