"""MobileFaceNet (Chen et al., CCBR 2018, table 1); the expert network of RAN, a representation encoder of RI.

Takes 112 x 112 px, gives 128 values, 0.99 million parameters. Every convolution is followed by BN, and by PReLU but
for the last of a bottleneck and the two that make the embedding. The paper says nothing of the initialisation: normal,
by He et al. (2015), as its public implementations have it.
"""

import torch
from torch import nn

from lrfr.nn.networks.face_network import FaceNetwork
from lrfr.nn.networks.feature_map import feature_map
from lrfr.nn.networks.shape import Network, Shape
from lrfr.nn.networks.stages import Stages, children, consecutive

# Expansion, channels, repetitions, stride of the first one (table 1)
BOTTLENECKS = ((2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1))
STEM = 6  # layers in front of them


class Bottleneck(nn.Module):
    """Expand by 1 x 1, 3 x 3 depthwise, project by 1 x 1 without activation; residual where the shape allows."""

    def __init__(self, channels_in: int, channels_out: int, expansion: int, stride: int) -> None:
        super().__init__()
        expanded = channels_in * expansion
        self.layers = nn.Sequential(
            *_convolution(channels_in, expanded, 1),
            nn.PReLU(expanded),
            *_convolution(expanded, expanded, 3, stride=stride, padding=1, groups=expanded),
            nn.PReLU(expanded),
            *_convolution(expanded, channels_out, 1),
        )
        self.residual = stride == 1 and channels_in == channels_out

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(B, C_in, H, W) to (B, C_out, H / stride, W / stride)."""
        return features + self.layers(features) if self.residual else self.layers(features)


class MobileFaceNet(FaceNetwork):
    """Bottlenecks, then a global depthwise convolution, which weighs the feature map's places, and a linear one."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        stem, last = round(64 * shape.width), round(512 * shape.width)
        layers: list[nn.Module] = [
            *_convolution(3, stem, 3, stride=2, padding=1),
            nn.PReLU(stem),
            *_convolution(stem, stem, 3, padding=1, groups=stem),
            nn.PReLU(stem),
        ]
        channels = stem
        for expansion, base, repetitions, stride in BOTTLENECKS:
            for repetition in range(repetitions):
                before, channels = channels, round(base * shape.width)
                layers.append(Bottleneck(before, channels, expansion, 1 if repetition else stride))
        self.features = nn.Sequential(*layers, *_convolution(channels, last, 1), nn.PReLU(last))
        self.output = nn.Sequential(
            *_convolution(last, last, feature_map("lrfr_mobilefacenet", shape.size, _side_after), groups=last),
            nn.Dropout(shape.dropout),
            *_convolution(last, shape.embedding_dim, 1),
            nn.Flatten(),
        )
        self.apply(_initialise)

    def forward_features(self, images: torch.Tensor) -> torch.Tensor:
        """Normalised images (B, 3, H, W) to the last feature map (B, C, h, w)."""
        return self.features(images)

    def named_stages(self) -> Stages:
        """``stem``, a stage for each line of table 1's bottlenecks, ``last`` (the 1 x 1 convolution), ``output``."""
        stages = consecutive("features", [repetitions for _, _, repetitions, _ in BOTTLENECKS], first=STEM)
        end = len(self.features)
        last = children("features", end - 3, end)
        return {"stem": children("features", 0, STEM), **stages, "last": last, "output": ("output",)}


def _convolution(
    channels_in: int,
    channels_out: int,
    kernel: int | tuple[int, int],
    *,
    stride: int = 1,
    padding: int = 0,
    groups: int = 1,
) -> tuple[nn.Module, nn.Module]:
    convolution = nn.Conv2d(channels_in, channels_out, kernel, stride, padding, groups=groups, bias=False)
    return convolution, nn.BatchNorm2d(channels_out)


def _side_after(side: int) -> int:
    for stride in (2, *(stride for _, _, _, stride in BOTTLENECKS)):
        side = (side + stride - 1) // stride
    return side


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")


NETWORKS = {"lrfr_mobilefacenet": Network(MobileFaceNet, Shape(size=(112, 112), embedding_dim=128, dropout=0.0))}
