"""Every network of ours as ONNX gives the embeddings that torch gives."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch.nn.modules.batchnorm import _BatchNorm

from lrfr.config import settings
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.model_file import Facts, Model, TrainedStep
from lrfr.nn.networks import NETWORKS
from lrfr.nn.onnx_file import export_onnx

PREPROCESSING = {"colour": "BGR", "mean": [0.3, 0.4, 0.5], "std": [0.2, 0.3, 0.4]}
TOLERANCE = 1e-4


def made(name, size, dim=16, width=0.125, **more):
    """A network whose normalisations know how large its activations are, as those of a trained one do."""
    torch.manual_seed(0)
    architecture = Architecture(
        backbone=name, width=width, embedding_dim=dim, input_size=size, dropout=0.1,
        **({"preprocessing": PREPROCESSING} | more),
    )  # fmt: skip
    embedder = Embedder(architecture)
    for module in embedder.modules():
        if isinstance(module, _BatchNorm):
            module.momentum = 1.0
    with torch.inference_mode():
        embedder.train()(torch.rand(8, 3, *size))
    return embedder.eval()


def run(path, images):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {"images": images})[0]


def agree(embedder, path, size):
    difference = export_onnx(Model(embedder), path, {})
    assert difference <= TOLERANCE
    images = np.random.default_rng(1).random((3, 3, *size), dtype=np.float32)  # another number than was traced
    with torch.inference_mode():
        expected = embedder(torch.from_numpy(images)).numpy()
    length = np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.abs(run(path, images) - expected).max() <= TOLERANCE
    assert (np.abs(run(path, images) - expected) <= TOLERANCE * length).all()
    assert not np.allclose(expected[0], expected[1], rtol=1e-2, atol=0)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_gives_the_same_by_onnx_runtime(tmp_path, name):
    size = list(NETWORKS[name].published.size)
    agree(made(name, size), tmp_path / "model.onnx", size)


def test_a_rectangle_and_one_of_timms_models_too(tmp_path):
    agree(made("lrfr_ir18", [40, 64]), tmp_path / "ours.onnx", [40, 64])
    agree(made("mobilenetv3_small_050", [64, 48], width=1.0), tmp_path / "timms.onnx", [64, 48])


@pytest.mark.parametrize("name", ["srcnn", "vdsr", "drrn"])
def test_faces_are_super_resolved_in_the_file_too(tmp_path, name):
    embedder = made("lrfr_ir18", [32, 24], super_resolution={"network": name, "width": 0.1})
    with torch.no_grad():
        for value in embedder.super_resolution.parameters():
            value += 0.02 * torch.randn_like(value)
    agree(embedder, tmp_path / "model.onnx", [32, 24])
    without = Embedder(embedder.architecture.model_copy(update={"super_resolution": None})).eval()
    without.backbone.load_state_dict(embedder.backbone.state_dict())
    images = np.random.default_rng(1).random((2, 3, 32, 24), dtype=np.float32)
    with torch.inference_mode():
        assert not np.allclose(run(tmp_path / "model.onnx", images), without(torch.from_numpy(images)), atol=1e-2)


def test_the_file_says_how_to_resize_for_it(tmp_path):
    for interpolation, says in (("bilinear", "bilinear, antialiased"), ("bicubic", "bicubic (a = -0.5), antialiased")):
        path = tmp_path / f"{interpolation}.onnx"
        export_onnx(Model(made("lrfr_ir18", [32, 32], preprocessing={"interpolation": interpolation})), path, {})
        told = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
        assert says in told["input"]


def test_the_file_says_what_goes_in_and_where_it_comes_from_and_is_always_the_same(tmp_path):
    embedder, first, second = made("lrfr_ir18", [40, 32]), tmp_path / "first.onnx", tmp_path / "second.onnx"
    for path in (first, second):
        export_onnx(Model(embedder), path, {"licence": "MIT", "seed": 7})
    assert first.read_bytes() == second.read_bytes()
    model = onnx.load(first)
    told = {entry.key: entry.value for entry in model.metadata_props}
    assert (told["colour"], told["range"], told["height"], told["width"]) == ("RGB", "0..1", "40", "32")
    assert json.loads(told["provenance"]) == {"licence": "MIT", "seed": 7}
    assert Architecture.model_validate(json.loads(told["architecture"])) == embedder.architecture
    (images,), (embeddings,) = model.graph.input, model.graph.output
    assert [axis.dim_param or axis.dim_value for axis in images.type.tensor_type.shape.dim] == ["batch", 3, 40, 32]
    assert embeddings.type.tensor_type.shape.dim[0].dim_param == "batch"


def test_a_difference_is_told(tmp_path, monkeypatch):
    embedder = made("lrfr_ir18", [32, 32])
    forward = type(embedder).forward
    monkeypatch.setattr(
        type(embedder), "forward", lambda self, images: forward(self, images) + (0.0 if torch.jit.is_tracing() else 1.0)
    )
    assert export_onnx(Model(embedder), tmp_path / "model.onnx", {}) == pytest.approx(1, abs=1e-3)


def test_the_file_carries_the_models_facts(tmp_path):
    facts = Facts(
        presentation="arcface_112",
        metric="euclidean",
        trained=[TrainedStep(step="pretrain main", faces={"auxiliary": 30}, passes={"auxiliary": 1.5}, updates=9)],
        head={"name": "ArcFace", "margin": 0.4},
        quality="norm",
        provenance={"licence": "CC0"},
    )
    told = {}
    for name, known in (("known", facts), ("plain", Facts())):
        export_onnx(Model(made("lrfr_ir18", [32, 32]), known), tmp_path / name, {"run": "mine"})
        told[name] = {entry.key: entry.value for entry in onnx.load(tmp_path / name).metadata_props}
        assert settings(json.loads(told[name]["facts"]), Facts, "facts") == known
        assert (told[name]["presentation"], told[name]["metric"]) == (known.presentation, known.metric)
    assert told["known"]["input"] == told["plain"]["input"]
    assert (told["plain"]["presentation"], told["plain"]["metric"]) == ("as_cropped", "cosine")
