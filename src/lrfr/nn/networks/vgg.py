"""VGG-16 of VggFace (Parkhi et al., BMVC 2015, table 3), up to its descriptor, fc7.

Takes 224 x 224 px, gives 4096 values behind fc7's ReLU, 134.3 million parameters; 145.0 million with the classifier
over 2,622 identities, which is a head here. Dropout of 0.5 behind fc6 and fc7, as published. The paper starts this
network from a shallower one trained before; Simonyan and Zisserman, whose network it is, say that the initialisation of
Glorot and Bengio makes that unnecessary (ICLR 2015, section 3.1), so that is used. Poolings round up, as Caffe's do.
"""

import torch
from torch import nn

from lrfr.nn.networks.face_network import FaceNetwork
from lrfr.nn.networks.feature_map import feature_map
from lrfr.nn.networks.shape import Network, Shape
from lrfr.nn.networks.stages import Stages, children, consecutive

# Channels and convolutions before each pooling
STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))


class Vgg16(FaceNetwork):
    """13 convolutions and five poolings, fc6, fc7; ReLU behind each layer, the last one too: no value is negative."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for base, convolutions in STAGES:
            for _ in range(convolutions):
                before, channels = channels, round(base * shape.width)
                layers += [nn.Conv2d(before, channels, 3, padding=1), nn.ReLU(inplace=True)]
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
        self.features = nn.Sequential(*layers)
        height, width = feature_map("lrfr_vgg16", shape.size, _side_after)
        hidden = round(4096 * shape.width)
        self.output = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * height * width, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(shape.dropout),
            nn.Linear(hidden, shape.embedding_dim),
            nn.ReLU(inplace=True),
            nn.Dropout(shape.dropout),
        )
        self.apply(_initialise)

    def forward_features(self, images: torch.Tensor) -> torch.Tensor:
        """Normalised images (B, 3, H, W) to the last feature map (B, C, h, w)."""
        return self.features(images)

    def named_stages(self) -> Stages:
        """``stage_1`` to ``stage_5``, ``fc6``, ``fc7``."""
        stages = consecutive("features", [2 * convolutions + 1 for _, convolutions in STAGES])
        return {**stages, "fc6": children("output", 0, 4), "fc7": children("output", 4, 7)}


def _side_after(side: int) -> int:
    for _ in STAGES:
        side = (side + 1) // 2
    return side


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


NETWORKS = {"lrfr_vgg16": Network(Vgg16, Shape(size=(224, 224), embedding_dim=4096, dropout=0.5))}
