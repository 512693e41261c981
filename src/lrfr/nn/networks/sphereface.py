"""SphereFace-20: the 20-layer network of A-Softmax (Liu et al., CVPR 2017, table 2).

Takes 112 x 96 px, gives 512 values, 22.7 million parameters: 19 convolutions and FC1. Layers, biases and
initialisation are those of the authors' Caffe file (``train/code/sphereface_model.prototxt``).
"""

from itertools import pairwise

import torch
from torch import nn

from lrfr.nn.networks.face_network import FaceNetwork
from lrfr.nn.networks.feature_map import feature_map
from lrfr.nn.networks.residual_unit import ResidualUnit, initialise
from lrfr.nn.networks.shape import Network, Shape
from lrfr.nn.networks.stages import Stages, consecutive

CHANNELS = (64, 128, 256, 512)
UNITS = (1, 2, 4, 1)


class SphereFace20(FaceNetwork):
    """Four times a convolution with stride 2 and residual units; one FC layer. No normalisation, no pooling."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        channels = [3, *(round(base * shape.width) for base in CHANNELS)]
        layers: list[nn.Module] = []
        for (before, after), units in zip(pairwise(channels), UNITS, strict=True):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.PReLU(after)]
            layers += [ResidualUnit(after) for _ in range(units)]
        self.features = nn.Sequential(*layers)
        height, width = feature_map("lrfr_sphereface20", shape.size, _side_after)
        self.output = nn.Sequential(
            nn.Dropout(shape.dropout), nn.Flatten(), nn.Linear(channels[-1] * height * width, shape.embedding_dim)
        )
        self.apply(initialise)

    def forward_features(self, images: torch.Tensor) -> torch.Tensor:
        """Normalised images (B, 3, H, W) to the last feature map (B, C, h, w)."""
        return self.features(images)

    def named_stages(self) -> Stages:
        """``stage_1`` to ``stage_4``, ``output``."""
        return {**consecutive("features", [2 + units for units in UNITS]), "output": ("output",)}


def _side_after(side: int) -> int:
    for _ in UNITS:
        side = (side + 1) // 2
    return side


NETWORKS = {"lrfr_sphereface20": Network(SphereFace20, Shape(size=(112, 96), embedding_dim=512, dropout=0.0))}
