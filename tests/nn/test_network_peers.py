"""Where torchvision has the same layers, ours compute the same from the same weights."""

import pytest
import torch
from torchvision.models import resnet34
from torchvision.models.vgg import cfgs, make_layers

from lrfr.nn.networks import NETWORKS
from lrfr.nn.networks.mobilefacenet import Bottleneck
from lrfr.nn.networks.residual_unit import ResidualUnit
from lrfr.nn.networks.resnet import BasicBlock
from lrfr.nn.networks.shape import Shape


def take_over(ours: torch.nn.Module, theirs: torch.nn.Module) -> None:
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))


def test_resnet34_has_torchvisions_layers():
    torch.manual_seed(0)
    ours = NETWORKS["lrfr_resnet34"].build(Shape(size=(32, 32), embedding_dim=8, dropout=0.0)).features
    theirs = resnet34()
    theirs.maxpool = theirs.avgpool = theirs.fc = torch.nn.Identity()
    take_over(ours, theirs)
    images = torch.randn(2, 3, 32, 32)
    for network in (ours, theirs):  # both learn their running statistics from these images
        network.train()(images)
        network.eval()
    with torch.inference_mode():
        assert torch.allclose(ours(images).flatten(1), theirs(images), rtol=1e-4, atol=1e-4)


def test_vgg16_has_torchvisions_layers():
    torch.manual_seed(0)
    ours = NETWORKS["lrfr_vgg16"].build(Shape(size=(64, 32), embedding_dim=16, dropout=0.5)).eval()
    theirs = make_layers(cfgs["D"])
    take_over(ours.features, theirs)
    images = torch.randn(2, 3, 64, 32)
    with torch.inference_mode():
        features = theirs(images)
        assert torch.allclose(ours.features(images), features, rtol=1e-4, atol=1e-5)
        fc6, fc7 = (layer for layer in ours.output if isinstance(layer, torch.nn.Linear))
        assert torch.allclose(ours(images), fc7(fc6(features.flatten(1)).relu()).relu(), atol=1e-5)


@pytest.mark.parametrize("block", [ResidualUnit(4), Bottleneck(4, 4, 2, 1), BasicBlock(4, 4, 1)])
def test_a_residual_block_without_residual_passes_its_input(block):
    for parameter in block.parameters():
        torch.nn.init.zeros_(parameter)
    features = torch.rand(2, 4, 6, 5)
    assert torch.equal(block.eval()(features), features)
