"""Every network of ours, so that a new one is tested by existing."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lrfr.errors import ParameterError
from lrfr.nn.networks import NETWORKS
from lrfr.nn.networks.pointwise import PointwiseConvolution
from lrfr.nn.networks.shape import Shape

PAGE = Path(__file__).parents[2] / "docs" / "backbones.md"
DIM = 24  # no network has a layer of as many channels at the widths used here


def small(name: str, size: tuple[int, int] = (48, 40), seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return NETWORKS[name].build(Shape(size=size, embedding_dim=DIM, dropout=0.0, width=0.125))


def on_meta(name: str, **changes) -> nn.Module:
    """The network without memory for its values, at full width in no time."""
    with torch.device("meta"):
        return NETWORKS[name].build(replace(NETWORKS[name].published, **changes))


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("name", NETWORKS)
def test_the_page_of_backbones_has_what_is_published(name):
    published, network = NETWORKS[name].published, on_meta(name).eval()
    with FlopCounterMode(display=False) as counter:
        embeddings = network(torch.empty(1, 3, *published.size, device="meta"))
    assert embeddings.shape == (1, published.embedding_dim)
    height, width = published.size
    millions, billions = parameters(network) / 1e6, counter.get_total_flops() / 2e9  # a multiply-add is two
    row = f"| `{name}` | {height} x {width} | {published.embedding_dim} | {millions:.2f} | {billions:.3f} |"
    assert row in PAGE.read_text(), "docs/backbones.md needs this row"


@pytest.mark.parametrize("name", NETWORKS)
def test_other_images_pass_or_the_smallest_that_do_are_named(name):
    size = (24, 37)
    try:
        network = on_meta(name, size=size)
    except ParameterError as error:
        smallest = int(re.search(r"at least (\d+) x \1 px", str(error)).group(1))
        assert smallest > min(size)
        size = (smallest, smallest)
        network = on_meta(name, size=size)
        with pytest.raises(ParameterError, match=rf"{name} takes no images of {smallest} x {smallest - 1} px"):
            on_meta(name, size=(smallest, smallest - 1))
    assert network(torch.empty(2, 3, *size, device="meta")).shape[0] == 2


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_reach_every_trained_parameter(name):
    network = small(name).train()
    embeddings = network(torch.randn(4, 3, 48, 40))
    assert embeddings.shape == (4, DIM)
    (embeddings * torch.randn(4, DIM)).sum().backward()
    for key, parameter in network.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None and parameter.grad.isfinite().all() and parameter.grad.any(), key


@pytest.mark.parametrize("channels", [2, 3, 8, 24])
@pytest.mark.parametrize(("stride", "side"), [(1, 7), (2, 48), (2, 7)])
def test_a_pointwise_convolution_is_torch_s_however_few_its_channels(channels, stride, side):
    torch.manual_seed(0)
    theirs = nn.Conv2d(channels, 16, 1, stride, bias=False, dtype=torch.float64)
    ours = PointwiseConvolution(channels, 16, stride).to(memory_format=torch.channels_last)
    ours.load_state_dict(theirs.state_dict())
    features = torch.randn(4, channels, side, side)
    exact = features.double().requires_grad_()
    taken = features.contiguous(memory_format=torch.channels_last).requires_grad_()
    for _ in range(5):  # what is written outside the memory shows by and by
        theirs.zero_grad()
        ours.zero_grad()
        expected, found = theirs(exact), ours(taken)
        torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-5)
        expected.square().sum().backward()
        found.square().sum().backward()
        torch.testing.assert_close(ours.weight.grad.double(), theirs.weight.grad, rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(taken.grad.double(), exact.grad, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_an_embedding_does_not_depend_on_its_batch(name):
    network = small(name).eval()
    images = torch.randn(3, 3, 48, 40)
    with torch.inference_mode():
        alone = torch.cat([network(image[None]) for image in images])
        together = network(images)
    assert together.std() > 0
    assert torch.allclose(together / together.std(), alone / together.std(), atol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_its_state(name):
    images = torch.randn(2, 3, 48, 40)
    first, second = small(name, seed=1).eval(), small(name, seed=2).eval()
    with torch.inference_mode():
        assert not torch.allclose(first(images), second(images))
        second.load_state_dict(first.state_dict())
        assert torch.equal(first(images), second(images))


@pytest.mark.parametrize("name", NETWORKS)
def test_half_the_width_is_half_the_channels(name):
    full, half = (dict(on_meta(name, embedding_dim=DIM, width=width).named_parameters()) for width in (1, 0.5))
    assert full.keys() == half.keys()
    for key, parameter in full.items():
        if parameter.ndim == 1 and len(parameter) != DIM:  # biases, BN and PReLU: one value a channel
            assert len(half[key]) * 2 == len(parameter), key
        assert all(side in (whole, whole // 2) for side, whole in zip(half[key].shape, parameter.shape, strict=True))
    sizes = [sum(parameter.numel() for parameter in network.values()) for network in (half, full)]
    assert 0.25 <= sizes[0] / sizes[1] < 0.5


def caffe(channels_in: int, channels_out: int, *, bias: bool) -> int:
    """Parameters of a 3 x 3 convolution and its PReLU."""
    return 9 * channels_in * channels_out + channels_out + (channels_out if bias else 0)


# Counted from what others published, not from our code
COUNTS = {
    # torchvision's resnet34, 21,797,672, less its classifier, with FC over 7 x 7 and BN
    "lrfr_resnet34": 21_797_672 - 513_000 + (512 * 7 * 7 + 1) * 512 + 2 * 512,
    # VGG-16 of Simonyan and Zisserman, 138,357,544, less its classifier
    "lrfr_vgg16": 138_357_544 - (4096 + 1) * 1000,
    # sphereface_model.prototxt
    "lrfr_sphereface20": sum(
        caffe(before, after, bias=True) + 2 * units * caffe(after, after, bias=False)
        for before, after, units in [(3, 64, 1), (64, 128, 2), (128, 256, 4), (256, 512, 1)]
    )
    + (512 * 7 * 6 + 1) * 512,
    # face_deploy.prototxt
    "lrfr_centreface": caffe(3, 32, bias=True)
    + sum(
        caffe(before, after, bias=True) + 2 * units * caffe(after, after, bias=False)
        for before, after, units in [(32, 64, 1), (64, 128, 2), (128, 256, 5), (256, 512, 3)]
    )
    + (512 * 5 * 4 + 1) * 512,
    # DeepID2, figure 1: the third map is 10 x 8, its regions 2 x 2; the fourth is 4 x 3
    "lrfr_deepid2": (20 * (3 * 16 + 1) + 40 * (20 * 9 + 1))
    + 5 * 4 * 60 * (40 * 9 + 1)
    + 4 * 3 * 80 * (60 * 4 + 1)
    + 160 * (60 * 5 * 4 + 80 * 4 * 3 + 1),
}


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_are_as_many_as_published(name):
    assert parameters(on_meta(name)) == COUNTS[name]


def test_vggface_has_its_145_million_with_its_classifier():
    assert parameters(on_meta("lrfr_vgg16")) + (4096 + 1) * 2622 == 145_002_878


def test_mobilefacenet_has_its_099_million_parameters_once_batch_normalisation_is_folded():
    network = on_meta("lrfr_mobilefacenet")
    folded = sum(module.num_features for module in network.modules() if isinstance(module, nn.BatchNorm2d))
    assert (parameters(network) - folded) / 1e6 == pytest.approx(0.99, abs=0.005)


@pytest.mark.parametrize("name", ["lrfr_sphereface20", "lrfr_centreface"])
def test_networks_out_of_caffe_files_start_as_those_say(name):
    for module in small(name).modules():
        if isinstance(module, nn.Conv2d | nn.Linear) and module.weight.numel() > 1000:
            fan_in = module.weight[0].numel()
            spread = 0.01 if module.bias is None else fan_in**-0.5
            assert module.weight.std().item() == pytest.approx(spread, rel=0.15)
            if module.bias is not None:
                assert not module.bias.any()
                assert module.weight.abs().max() <= (3 / fan_in) ** 0.5
