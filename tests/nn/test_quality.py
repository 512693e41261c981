"""A quality is a part of the model: in the embedder, its file and its ONNX graph; it knows no other image."""

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from lrfr.config import settings
from lrfr.errors import ParameterError
from lrfr.nn.embedder import Architecture, Embedder, with_quality
from lrfr.nn.model_file import Facts, Model, read_model, write_model
from lrfr.nn.networks import NETWORKS
from lrfr.nn.networks.face_network import feature_map_shape
from lrfr.nn.networks.shape import Shape
from lrfr.nn.onnx_file import export_onnx
from lrfr.nn.onnx_recogniser import read_onnx
from lrfr.nn.perceptibility import PerceptibilityAttention
from lrfr.nn.published.conversion import Asked
from lrfr.nn.quality_heads import Classifiability, RecognizabilitySettings

PLAIN = {"backbone": "lrfr_ir18", "width": 0.125, "embedding_dim": 8, "input_size": 32, "dropout": 0.3}
HEAD = {"name": "recognizability", "dropout": 0.4}
KINDS = [HEAD, {"name": "classifiability"}]


def embedder(**changes):
    torch.manual_seed(0)
    made = Embedder(Architecture.model_validate(PLAIN | changes))
    with torch.no_grad():  # normalisations that know how large activations are
        for _ in range(20):
            made.train()(torch.rand(8, 3, 32, 32))
    return made.eval()


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_of_ours_is_in_two_parts(name):
    torch.manual_seed(0)
    network = NETWORKS[name].build(Shape((64, 56), embedding_dim=8, dropout=0.0, width=0.125)).eval()
    images = torch.rand(2, 3, 64, 56)
    with torch.no_grad():
        features = network.forward_features(images)
        assert torch.equal(network.forward_head(features), network(images))
    assert feature_map_shape(network, (64, 56), name) == features.shape[1:]
    assert not network.training


@pytest.mark.parametrize("name", ["resnet10t", "mobilenetv3_small_050"])
def test_one_of_timms_is_too(name):
    made = embedder(backbone=name, width=1.0, quality=HEAD)
    images = torch.rand(2, 3, 32, 32)
    assert torch.allclose(made.assess(images)[0], made(images), atol=1e-6)
    assert made.feature_map(images).ndim == 4


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "swin_s3_tiny_224"])
def test_a_backbone_without_a_feature_map_is_refused(name):
    with pytest.raises(ParameterError, match=rf"{name} are \(.*no map(.|\n)*lrfr_mobilefacenet"):
        embedder(backbone=name, width=1.0, input_size=224, quality=HEAD)


def test_a_graph_shows_no_feature_map():
    with pytest.raises(ParameterError, match=r"the backbone mine\.onnx shows no feature map"):
        feature_map_shape(nn.Identity(), (32, 32), "mine.onnx")


@pytest.mark.parametrize("head", KINDS)
def test_it_depends_on_no_other_image_of_the_batch(head):
    made, images = embedder(quality=head), torch.rand(6, 3, 20, 18)
    with torch.no_grad():
        embedding, quality = made.assess(images)
        alone = [made.assess(images[row : row + 1]) for row in range(6)]
        turned = made.assess(images.flip(0))[1].flip(0)
    assert quality.shape == (6,) and quality.dtype == torch.float32 and quality.std() > 0
    assert torch.allclose(torch.cat([own for _, own in alone]), quality, atol=1e-5)
    assert torch.allclose(turned, quality, atol=1e-5)
    assert torch.allclose(made(images), embedding, atol=1e-6)


def test_a_model_without_it_says_none_and_is_described_as_ever():
    made = embedder()
    assert made.assess(torch.rand(2, 3, 32, 32))[1] is None
    assert not {"quality", "attended"} & made.architecture.model_dump().keys()
    assert with_quality(made, None) is made


def test_recognizability_is_a_regression_on_the_flattened_map():
    made, images = embedder(quality=HEAD), torch.rand(3, 3, 32, 32)
    with torch.no_grad():
        features = made.feature_map(images)
        (layer,) = [module for module in made.quality.modules() if isinstance(module, nn.Linear)]
        expected = [sum(layer.weight[0] * face.flatten()) + layer.bias[0] for face in features]
        assert made.assess(images)[1].tolist() == pytest.approx([value.item() for value in expected], rel=1e-3)


def test_classifiability_is_a_regression_on_the_embedding():
    head, embedding = Classifiability(4), torch.rand(3, 4)
    expected = [sum(head.regression.weight[0] * row) + head.regression.bias[0] for row in embedding]
    assert head(torch.zeros(3, 1, 1, 1), embedding).tolist() == pytest.approx([value.item() for value in expected])


def test_attention_weighs_channels_and_then_places():
    """CBAM's equations 2 and 3, place by place."""
    torch.manual_seed(0)
    attention, features = PerceptibilityAttention((3, 4, 5), 6), torch.randn(2, 3, 4, 5)
    with torch.no_grad():
        for face, found in zip(features, attention(features), strict=True):
            pooled = [attention.channel.shared(torch.stack([part(place) for place in face])) for part in (
                lambda place: place.mean(), lambda place: place.max())]  # fmt: skip
            attended = torch.stack([torch.sigmoid(sum(pooled))[c] * face[c] for c in range(3)])
            padded = torch.zeros(2, 10, 11)
            padded[0, 3:7, 3:8], padded[1, 3:7, 3:8] = attended.mean(0), attended.max(0).values
            kernel = attention.spatial.convolution.weight[0]
            for y in range(4):
                for x in range(5):
                    attended[:, y, x] *= torch.sigmoid((padded[:, y : y + 7, x : x + 7] * kernel).sum())
            layer = attention.output[1]
            assert torch.allclose(layer.weight @ attended.flatten() + layer.bias, found, atol=1e-5)


def test_an_attended_embedding_is_what_the_model_gives():
    made, images = embedder(quality=HEAD, attended=True), torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        expected = made.attention(made.feature_map(images))
        assert torch.equal(made(images), expected)
        assert torch.equal(made.assess(images)[0], expected)


@pytest.mark.parametrize("attended", [False, True])
def test_a_model_keeps_it_in_its_file(tmp_path, attended):
    made = with_quality(embedder(), RecognizabilitySettings(**HEAD), attended).eval()
    write_model(tmp_path, Model(made, Facts(quality="recognizability")))
    again, images = read_model(tmp_path), torch.rand(3, 3, 32, 32)
    assert again.facts.quality == "recognizability"
    for one, other in zip(again.embedder.assess(images), made.assess(images), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("head", KINDS)
def test_its_graph_gives_it_as_a_second_output(tmp_path, head):
    made, path = embedder(quality=head), tmp_path / "model.onnx"
    assert export_onnx(Model(made, Facts(quality=head["name"])), path, {}) < 1e-4
    images = torch.rand(3, 3, 32, 32)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert [output.name for output in session.get_outputs()] == ["embeddings", "quality"]
    expected = made.assess(images)
    for given, wanted in zip(session.run(None, {"images": images.numpy()}), expected, strict=True):
        assert np.allclose(given, wanted.detach().numpy(), atol=1e-4)
    read = read_onnx(path, Asked()).model
    assert read.facts.quality == head["name"]
    for given, wanted in zip(read.embedder.assess(images), expected, strict=True):
        assert torch.allclose(given, wanted, atol=1e-4)


def test_an_unknown_kind_is_named():
    with pytest.raises(ParameterError, match="unknown quality 'recognisability'"):
        settings(PLAIN | {"quality": {"name": "recognisability"}}, Architecture, "here")
