"""The three networks: published sizes, the identity at first, and all of them can learn."""

import pytest
import torch
from torch import nn

from lrfr.config import settings
from lrfr.errors import ParameterError
from lrfr.nn.super_resolution import NETWORKS
from lrfr.nn.super_resolution.settings import SuperResolution

LAYERS = {  # kernel, channels before and after, of each convolution with weights of its own
    "srcnn": [(9, 3, 64), (5, 64, 32), (5, 32, 3)],
    "vdsr": [(3, 3, 64), *[(3, 64, 64)] * 18, (3, 64, 3)],
    "drrn": [(3, 3, 128), *[(3, 128, 128)] * 2, (3, 128, 3)],
}
ON_LUMINANCE = {"srcnn": 57_184, "vdsr": 664_704, "drrn": 297_216}  # as the papers count: 57 K, 665 K, 297 K


def weights(layers, colours=3):
    """How many weights convolutions have, of which the first reads, and the last writes, so many colours."""
    counted = layers[0][0] ** 2 * colours * layers[0][2] + layers[-1][0] ** 2 * layers[-1][1] * colours
    return counted + sum(kernel**2 * before * after for kernel, before, after in layers[1:-1])


def count(network, kind):
    modules = [module for module in network.modules() if isinstance(module, kind)]
    return sum(value.numel() for module in modules for value in module.parameters())


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_has_the_published_weights(name):
    layers = LAYERS[name]
    assert weights(layers, colours=1) == ON_LUMINANCE[name]
    network = NETWORKS[name](1.0)
    assert count(network, nn.Conv2d) == weights(layers) + sum(after for _, _, after in layers)
    # Each of DRRN's 25 units normalises twice, by 128 factors and biases, and so do the first and the last convolution
    normalisations = 2 * (3 + 25 * 2 * 128 + 128) if name == "drrn" else 0
    assert count(network, nn.BatchNorm2d) == normalisations
    assert sum(value.numel() for value in network.parameters()) == count(network, nn.Conv2d) + normalisations


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_has_the_published_depth(name):
    convolutions = []
    network = NETWORKS[name](0.1)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda *_: convolutions.append(1))
    network(torch.rand(1, 3, 12, 10))
    assert len(convolutions) == {"srcnn": 3, "vdsr": 20, "drrn": 52}[name]


@pytest.mark.parametrize("mode", [True, False])
@pytest.mark.parametrize("width", [0.1, 0.5])
@pytest.mark.parametrize("name", NETWORKS)
def test_an_untrained_network_is_the_identity(name, width, mode):
    torch.manual_seed(0)
    images = torch.rand(2, 3, 14, 11)
    images[0, :, :3] = 0
    super_resolved = NETWORKS[name](width).train(mode)(images)
    assert super_resolved.shape == images.shape
    assert torch.allclose(super_resolved, images, atol=1e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_reach_every_weight_once_the_last_layer_moved(name):
    torch.manual_seed(0)
    network = NETWORKS[name](0.125)
    images, sharp = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8)
    optimizer = torch.optim.SGD(network.parameters(), 1e-2)
    for _ in range(2):
        optimizer.zero_grad()
        (network(images) - sharp).square().mean().backward()
        optimizer.step()
    for key, value in network.named_parameters():
        gradient = value.grad
        assert gradient is not None and gradient.isfinite().all(), key
        if value.ndim == 4:  # what ReLU shuts off gets none
            assert (gradient.flatten(1).abs().sum(1) > 0).float().mean() > 0.5, key
        assert gradient.abs().sum() > 0 or value.ndim == 1, key


def test_the_units_of_drrn_share_their_convolutions_and_begin_anew_from_the_block():
    torch.manual_seed(0)
    network = NETWORKS["drrn"](0.1).eval()
    values = network.state_dict()
    for value in values.values():
        if value.is_floating_point():
            value.add_(0.1 * torch.rand_like(value))

    def convolved(features, normalisation, convolution):
        mean, var, weight, bias = (
            values[f"{normalisation}.{kind}"].view(1, -1, 1, 1)
            for kind in ("running_mean", "running_var", "weight", "bias")
        )
        normalised = (features - mean) / (var + 1e-5).sqrt() * weight + bias
        return nn.functional.conv2d(
            normalised.clamp(min=0), values[f"{convolution}.weight"], values[f"{convolution}.bias"], padding=1
        )

    images = torch.rand(2, 3, 6, 5)
    block = unit = convolved(images, "first.0", "first.2")
    for number in range(25):
        inner = convolved(unit, f"normalisations.{number}.0", "shared.0")
        unit = block + convolved(inner, f"normalisations.{number}.1", "shared.1")
    expected = images + convolved(unit, "last.0", "last.2")
    assert not torch.allclose(expected, images, atol=0.1)
    assert torch.allclose(network(images), expected, rtol=1e-3, atol=1e-4)


def test_the_settings_know_the_networks():
    chosen = SuperResolution(network="vdsr", width=0.25)
    assert sum(value.numel() for value in chosen.build().parameters()) == 9 * (2 * 3 * 16 + 18 * 16**2) + 19 * 16 + 3
    with pytest.raises(ParameterError, match=r"(?s)no super-resolution network 'edsr'.*known: drrn, srcnn, vdsr"):
        settings({"network": "edsr"}, SuperResolution, "params.yaml: super_resolution.edsr")
    with pytest.raises(ParameterError, match="width"):
        settings({"network": "srcnn", "width": 0.05}, SuperResolution, "here")
