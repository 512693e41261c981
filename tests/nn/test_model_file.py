import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from lrfr.errors import TrainingError
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.model_file import provenance, read_model, write_model

SMALL = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=16, input_size=32, dropout=0.1)


def test_a_model_is_read_as_it_was_written(tmp_path):
    torch.manual_seed(0)
    architecture = SMALL.model_copy(update={"input_size": [32, 24]})
    embedder, head = Embedder(architecture).eval(), torch.randn(3, 16)
    write_model(tmp_path, embedder, head)
    first = (tmp_path / "model.safetensors").read_bytes()
    again, prototypes = read_model(tmp_path)
    images = torch.rand(2, 3, 20, 20)
    assert torch.equal(embedder(images), again(images))
    assert torch.equal(head, prototypes)
    write_model(tmp_path, again, prototypes)
    assert (tmp_path / "model.safetensors").read_bytes() == first
    assert provenance(tmp_path) is None


def test_a_model_with_super_resolution_is_read_as_it_was_written(tmp_path):
    torch.manual_seed(0)
    changed = {"super_resolution": {"network": "srcnn", "width": 0.1}, "preprocessing": {"interpolation": "bicubic"}}
    embedder = Embedder(Architecture(**(SMALL.model_dump() | changed))).eval()
    with torch.no_grad():
        embedder.super_resolution.layers[0].weight *= 0.8
    write_model(tmp_path, embedder)
    again, _ = read_model(tmp_path)
    images = torch.rand(2, 3, 20, 20)
    assert again.architecture == embedder.architecture
    assert torch.equal(again(images), embedder(images))


def test_models_of_the_first_version_are_read(tmp_path):
    torch.manual_seed(0)
    embedder = Embedder(SMALL).eval()
    write_model(tmp_path, embedder)
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    since = {f"embedder.backbone.output.4.{name}" for name in ("weight", "bias")}
    later = {"preprocessing", "super_resolution"}
    architecture = {name: value for name, value in SMALL.model_dump().items() if name not in later}
    old = {name: value for name, value in tensors.items() if name not in since}
    save_file(old, tmp_path / "model.safetensors", {"lrfr": json.dumps({"architecture": architecture})})
    images = torch.rand(2, 3, 20, 20)
    assert len(old) == len(tensors) - 2
    assert torch.equal(read_model(tmp_path)[0](images), embedder(images))


def test_what_is_no_model_is_said(tmp_path):
    for read in (read_model, provenance):
        with pytest.raises(TrainingError, match="not a model of lrfr"):
            read(tmp_path)
    save_file({"a": torch.ones(1)}, tmp_path / "model.safetensors")
    for read in (read_model, provenance):
        with pytest.raises(TrainingError, match="not a model of lrfr"):
            read(tmp_path)
