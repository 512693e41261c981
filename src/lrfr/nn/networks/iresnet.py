"""IR-ResNet: the improved residual networks of ArcFace, in the two layouts in which weights are published.

Deng et al., "ArcFace: Additive angular margin loss for deep face recognition", CVPR 2019, section 3.1: 112 x 112 px in,
512 out. The layouts differ in two places:

- insightface (``recognition/arcface_torch/backbones/iresnet.py``): a shortcut that changes shape is a 1 x 1 convolution
  with BN; the last BN has a bias, its factor stays 1.
- AdaFace (Kim et al., CVPR 2022, ``net.py``), and CVLface after it: a shortcut that only shrinks takes every second
  pixel; the last BN has neither factor nor bias; dropout 0.4.

A third layout, with other blocks, is in :mod:`lrfr.nn.networks.irse`.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from lrfr.nn.networks.face_network import FaceNetwork
from lrfr.nn.networks.pointwise import PointwiseConvolution
from lrfr.nn.networks.shape import Network, Shape
from lrfr.nn.networks.stages import Stages, consecutive

Block = Callable[[int, int, int], nn.Module]  # channels in, channels out, stride
Norm = Callable[[int], nn.Module]  # D


class ImprovedResidualBlock(nn.Module):
    """BN, 3 x 3 convolution, BN, PReLU, 3 x 3 convolution, BN (section 3.1)."""

    def __init__(self, channels_in: int, channels_out: int, stride: int, adaface: bool = False) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.BatchNorm2d(channels_in),
            nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.PReLU(channels_out),
            nn.Conv2d(channels_out, channels_out, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
        )
        self.shortcut = shortcut(channels_in, channels_out, stride, adaface)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(B, C_in, H, W) to (B, C_out, H / stride, W / stride)."""
        return self.residual(features) + self.shortcut(features)


def shortcut(channels_in: int, channels_out: int, stride: int, takes_pixels: bool) -> nn.Module:
    """The second branch of a block. ``takes_pixels``: where it only shrinks, it takes every second pixel."""
    if takes_pixels and channels_in == channels_out and stride != 1:
        return nn.MaxPool2d(1, stride)
    if stride == 1 and channels_in == channels_out:
        return nn.Identity()
    return nn.Sequential(PointwiseConvolution(channels_in, channels_out, stride), nn.BatchNorm2d(channels_out))


class ImprovedResNet(FaceNetwork):
    """IR-ResNet with the output layer BN, dropout, FC, BN ("option E" of ArcFace).

    Args:
        blocks: how many there are in each of the four stages.
        shape: what it takes and gives.
        block: makes each.
        last_norm: makes the last BN.
    """

    def __init__(self, blocks: tuple[int, ...], shape: Shape, block: Block, last_norm: Norm) -> None:
        super().__init__()
        self.blocks = blocks
        channels = [round(base * shape.width) for base in (64, 64, 128, 256, 512)]
        self.stem = nn.Sequential(
            nn.Conv2d(3, channels[0], 3, padding=1, bias=False), nn.BatchNorm2d(channels[0]), nn.PReLU(channels[0])
        )
        self.stages = nn.Sequential(
            *(
                block(channels[stage if first else stage + 1], channels[stage + 1], 2 if first else 1)
                for stage, count in enumerate(blocks)
                for first in [True] + [False] * (count - 1)
            )
        )
        height, width = shape.size
        for _ in blocks:
            height, width = (height + 1) // 2, (width + 1) // 2
        self.output = nn.Sequential(
            nn.BatchNorm2d(channels[-1]),
            nn.Dropout(shape.dropout),
            nn.Flatten(),
            nn.Linear(channels[-1] * height * width, shape.embedding_dim),
            last_norm(shape.embedding_dim),
        )
        self.apply(_initialise)

    def forward_features(self, images: torch.Tensor) -> torch.Tensor:
        """Normalised images (B, 3, H, W) to the last feature map (B, C, h, w)."""
        return self.stages(self.stem(images))

    def named_stages(self) -> Stages:
        """``stem``, ``stage_1`` to ``stage_4``, ``output``."""
        return {"stem": ("stem",), **consecutive("stages", self.blocks), "output": ("output",)}


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
    if isinstance(module, nn.Linear):
        nn.init.xavier_normal_(module.weight)
        nn.init.zeros_(module.bias)


def _factor_of_one(dimension: int) -> nn.Module:
    """A BN whose factor stays 1."""
    norm = nn.BatchNorm1d(dimension)
    norm.weight.requires_grad_(False)
    norm.register_load_state_dict_pre_hook(_without_bias)
    return norm


def _without_bias(norm: nn.Module, state: dict[str, torch.Tensor], prefix: str, *_: object) -> None:
    """Models of lrfr 0.1.0 have neither factor nor bias in the last BN, which is 1 and 0."""
    mean = state.get(f"{prefix}running_mean")
    if mean is not None:
        state.setdefault(f"{prefix}weight", torch.ones_like(mean))
        state.setdefault(f"{prefix}bias", torch.zeros_like(mean))


bare_norm = partial(nn.BatchNorm1d, affine=False)
"""A BN with neither factor nor bias."""

# Blocks in each stage, by the name of the network
INSIGHTFACE = {
    "lrfr_ir18": (2, 2, 2, 2),
    "lrfr_ir34": (3, 4, 6, 3),
    "lrfr_ir50": (3, 4, 14, 3),
    "lrfr_ir100": (3, 13, 30, 3),
    "lrfr_ir200": (6, 26, 60, 6),
}
ADAFACE = {
    "lrfr_ir18_adaface": (2, 2, 2, 2),
    "lrfr_ir50_adaface": (3, 4, 14, 3),
    "lrfr_ir101_adaface": (3, 13, 30, 3),
}

NETWORKS = {
    name: Network(partial(ImprovedResNet, blocks, block=block, last_norm=norm), Shape((112, 112), 512, dropout))
    for layout, block, norm, dropout in (
        (INSIGHTFACE, ImprovedResidualBlock, _factor_of_one, 0.0),
        (ADAFACE, partial(ImprovedResidualBlock, adaface=True), bare_norm, 0.4),
    )
    for name, blocks in layout.items()
}
