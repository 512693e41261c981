import numpy as np
import pytest
import torch

from lrfr.config import settings
from lrfr.errors import ImageError, ParameterError
from lrfr.faces import decode
from lrfr.nn.batches.images import FaceImages
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.resolution import to_size
from tests.face_tables import face_table, images_of

SMALL = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=16, input_size=32, dropout=0.1)


def changed(**values):
    return Architecture(**(SMALL.model_dump() | values))


def embedder(**values):
    torch.manual_seed(0)
    return Embedder(changed(**values)).eval()


@pytest.mark.parametrize("size", [(32, 32), (9, 7), (60, 41)])
def test_faces_of_any_size_are_embedded(size):
    embedding = Embedder(SMALL).eval()(torch.rand(2, 3, *size))
    assert embedding.shape == (2, 16)
    assert embedding.dtype == torch.float32


def test_a_network_may_take_images_that_are_no_squares():
    assert changed(input_size=[40, 24]).size == (40, 24)
    network = embedder(input_size=[40, 24])
    images = torch.rand(2, 3, 40, 24)
    normalised = ((images - 0.5) / 0.5).contiguous(memory_format=torch.channels_last)
    assert torch.equal(network(images), network.backbone(normalised))
    assert network(torch.rand(2, 3, 50, 50)).shape == (2, 16)


@pytest.mark.parametrize("size", [[32], [32, 32, 32], [32, 8], 8, "32", 32.0, True])
def test_what_is_no_size_is_refused(size):
    with pytest.raises(ParameterError, match=r"the side of a square or \[height, width\], 16 to 1024 px"):
        settings(SMALL.model_dump() | {"input_size": size}, Architecture, "pretrain.architecture")


def test_images_are_fed_in_the_networks_own_order_and_scale():
    mean, std = [0.1, 0.2, 0.3], [0.5, 0.25, 0.125]
    plain, other = embedder(), embedder(preprocessing={"colour": "BGR", "mean": mean, "std": std})
    images = torch.rand(2, 3, 32, 32)
    swapped = images[:, [2, 1, 0]]
    fed = torch.stack([(swapped[:, c] - mean[c]) / std[c] for c in range(3)], dim=1)
    assert torch.allclose(other(images), plain.backbone(fed), atol=1e-3)
    assert other.state_dict().keys() == plain.state_dict().keys(), "how images are fed is part of the architecture"


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), r"type torch.uint8.*float\(\) / 255"),
        (torch.rand(1, 1, 8, 8), r"shape \(1, 1, 8, 8\)"),
        (torch.rand(3, 8, 8), r"shape \(3, 8, 8\)"),
        (torch.rand(1, 3, 8, 8) * 255, r"not in 0..1\n.*0..255\?"),
        (torch.rand(1, 3, 8, 8) * 2 - 1, r"not in 0..1\n.*normalised already\?"),
        (torch.full((1, 3, 8, 8), np.nan), "nan"),
    ],
)
def test_what_is_surely_no_image_is_refused(images, says):
    with pytest.raises(ImageError, match=f"(?s){says}"):
        embedder()(images)


def test_rounding_is_forgiven_and_training_does_not_look():
    assert embedder()(torch.tensor([-5e-4, 1.0005]).repeat(1, 3, 8, 4)).isfinite().all()
    assert embedder().train()(torch.rand(2, 3, 8, 8) * 255).isfinite().all()


@pytest.mark.filterwarnings("ignore")  # the size is fixed; tracing is old
def test_a_traced_embedder_takes_any_batch():
    network = embedder(preprocessing={"colour": "BGR"})
    with torch.inference_mode():
        traced = torch.jit.trace(network, torch.rand(2, 3, 32, 32))
        images = torch.rand(5, 3, 32, 32)
        assert torch.allclose(traced(images), network(images), atol=1e-6)


def test_faces_are_super_resolved_before_they_are_recognised():
    plain = embedder(preprocessing={"colour": "BGR", "interpolation": "bicubic"})
    chosen = {"network": "vdsr", "width": 0.1}
    network = embedder(preprocessing={"colour": "BGR", "interpolation": "bicubic"}, super_resolution=chosen)
    images = torch.rand(2, 3, 20, 14)
    assert torch.allclose(network(images), plain(images), atol=1e-5), "an untrained network is the identity"
    torch.manual_seed(1)
    with torch.no_grad():
        network.super_resolution.residual[-1].weight.normal_(0, 0.3)
    super_resolved = network.super_resolve(images)
    enlarged = to_size(images, (32, 32), "bicubic")
    assert torch.equal(super_resolved, network.super_resolution(enlarged))
    assert not torch.allclose(super_resolved, enlarged, atol=0.05)
    fed = (super_resolved.flip(1) - 0.5) / 0.5
    assert torch.allclose(network(images), network.backbone(fed), atol=1e-5)
    assert torch.equal(network.recognise(super_resolved), network(images))
    assert torch.equal(plain.super_resolve(images), enlarged), "resized, where there is no such network"


def test_a_network_may_want_its_faces_bicubic():
    images = torch.rand(2, 3, 12, 12)
    smooth, other = embedder(), embedder(preprocessing={"interpolation": "bicubic"})
    assert torch.allclose(other(images), smooth(to_size(images, (32, 32), "bicubic")), atol=1e-5)
    assert not torch.allclose(other(images), smooth(images), atol=1e-3)


def test_an_unknown_super_resolution_network_is_named():
    wanted = SMALL.model_dump() | {"super_resolution": {"network": "vdsl"}}
    with pytest.raises(ParameterError, match=r"network 'vdsl'; known: drrn, srcnn, vdsr"):
        settings(wanted, Architecture, "pretrain.architecture")


def test_timm_models_are_backbones_too():
    images = torch.rand(2, 3, 40, 40)
    assert embedder(backbone="resnet10t", width=1.0)(images).shape == (2, 16)
    features = embedder(backbone="resnet10t", width=1.0, embedding_dim=512)
    assert features(images).min() >= 0, "as wide as the averaged features, which follow a ReLU: no layer after them"
    assert embedder(backbone="vit_tiny_patch16_224", width=1.0)(images).shape == (2, 16)


def test_timm_models_have_one_width():
    with pytest.raises(ParameterError, match=r"width 0.125 for 'resnet10t'(?s:.*)leave `width` out"):
        embedder(backbone="resnet10t")


def test_an_unknown_backbone_is_named():
    with pytest.raises(ParameterError, match=r"unknown backbone 'lrfr_ir19'\n.*did you mean 'lrfr_ir"):
        embedder(backbone="lrfr_ir19")


def test_faces_are_resized_for_the_tests_as_the_model_resizes_them():
    network = embedder()
    faces = face_table(people=2, images=1)
    through_the_table = network(torch.stack([FaceImages(images_of(faces), (32, 32))[row] for row in range(2)]))
    for row, image in enumerate(faces["image"].to_pylist()):
        pixels = torch.from_numpy(decode(image).copy()).permute(2, 0, 1)[None] / 255
        assert torch.allclose(network(pixels)[0], through_the_table[row], atol=1e-5)
