"""CentreFace: the residual network published with the centre loss (Wen et al., ECCV 2016); the recogniser of CSRI.

Takes 112 x 96 px, gives 512 values, 27.5 million parameters. The layers are those of the authors' Caffe file
(``face_example/face_deploy.prototxt``), which is what others have evaluated under this name; figure 5 of the paper
draws an older, shallower network with locally shared convolutions. Poolings round up, as Caffe's do.
"""

from itertools import pairwise

import torch
from torch import nn

from lrfr.nn.networks.face_network import FaceNetwork
from lrfr.nn.networks.feature_map import feature_map
from lrfr.nn.networks.residual_unit import ResidualUnit, initialise
from lrfr.nn.networks.shape import Network, Shape
from lrfr.nn.networks.stages import Stages, children, consecutive

CHANNELS = (32, 64, 128, 256, 512)
UNITS = (1, 2, 5, 3)


class CentreFace(FaceNetwork):
    """A first convolution, then four times an unpadded convolution, pooling and residual units; one FC layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        channels = [round(base * shape.width) for base in CHANNELS]
        layers: list[nn.Module] = [nn.Conv2d(3, channels[0], 3), nn.PReLU(channels[0])]
        for (before, after), units in zip(pairwise(channels), UNITS, strict=True):
            layers += [nn.Conv2d(before, after, 3), nn.PReLU(after), nn.MaxPool2d(2, ceil_mode=True)]
            layers += [ResidualUnit(after) for _ in range(units)]
        self.features = nn.Sequential(*layers)
        height, width = feature_map("lrfr_centreface", shape.size, _side_after)
        self.output = nn.Sequential(
            nn.Dropout(shape.dropout), nn.Flatten(), nn.Linear(channels[-1] * height * width, shape.embedding_dim)
        )
        self.apply(initialise)

    def forward_features(self, images: torch.Tensor) -> torch.Tensor:
        """Normalised images (B, 3, H, W) to the last feature map (B, C, h, w)."""
        return self.features(images)

    def named_stages(self) -> Stages:
        """``stem``, ``stage_1`` to ``stage_4``, ``output``."""
        stages = consecutive("features", [3 + units for units in UNITS], first=2)
        return {"stem": children("features", 0, 2), **stages, "output": ("output",)}


def _side_after(side: int) -> int:
    side -= 2
    for _ in UNITS:
        side = (side - 2 + 1) // 2
    return side


NETWORKS = {"lrfr_centreface": Network(CentreFace, Shape(size=(112, 96), embedding_dim=512, dropout=0.0))}
