"""ResNet-34 as RIFR modifies it (figure 2 there), out of He et al. (CVPR 2016).

Takes 112 x 112 px, gives 512 values, 34.1 million parameters. The paper's text says: the standard network; the
shortcut of a block is a 1 x 1 convolution where its stride is 2, else the identity; BN, ReLU, dropout and FC in the
drawing, which we do not have. So all is left as the standard has it (a 7 x 7 convolution with stride 2, then strides
1, 2, 2, 2) but for what the drawing's legend does not name: the max pooling behind the first convolution, without which
112 px end as 7 x 7, as 224 px do in the standard; and the average pooling, in whose place dropout, FC and BN stand.
Without this last BN the published learning rate, 0.1 on a plain softmax, made our trials diverge. The dropout's
probability is not given: 0.5, as in the paper that dropout comes from (Srivastava et al., 2014).
"""

import torch
from torch import nn

from lrfr.nn.networks.face_network import FaceNetwork
from lrfr.nn.networks.feature_map import feature_map
from lrfr.nn.networks.pointwise import PointwiseConvolution
from lrfr.nn.networks.shape import Network, Shape
from lrfr.nn.networks.stages import Stages, children, consecutive

# Channels, blocks and stride of the four layers (He et al., table 1)
LAYERS = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))


class BasicBlock(nn.Module):
    """Twice a 3 x 3 convolution and BN, ReLU between them and behind the sum (He et al., figure 5, left)."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1:
            self.shortcut = nn.Sequential(
                PointwiseConvolution(channels_in, channels_out, stride), nn.BatchNorm2d(channels_out)
            )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(B, C_in, H, W) to (B, C_out, H / stride, W / stride)."""
        return torch.relu(self.residual(features) + self.shortcut(features))


class ResNet34(FaceNetwork):
    """A 7 x 7 convolution, 16 basic blocks in four layers, dropout, FC and BN."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        channels = round(LAYERS[0][0] * shape.width)
        layers: list[nn.Module] = [
            nn.Conv2d(3, channels, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        ]
        for base, blocks, stride in LAYERS:
            for block in range(blocks):
                before, channels = channels, round(base * shape.width)
                layers.append(BasicBlock(before, channels, 1 if block else stride))
        self.features = nn.Sequential(*layers)
        height, width = feature_map("lrfr_resnet34", shape.size, _side_after)
        self.output = nn.Sequential(
            nn.Dropout(shape.dropout),
            nn.Flatten(),
            nn.Linear(channels * height * width, shape.embedding_dim),
            nn.BatchNorm1d(shape.embedding_dim),
        )
        self.apply(_initialise)

    def forward_features(self, images: torch.Tensor) -> torch.Tensor:
        """Normalised images (B, 3, H, W) to the last feature map (B, C, h, w)."""
        return self.features(images)

    def named_stages(self) -> Stages:
        """``stem``, ``stage_1`` to ``stage_4``, ``output``."""
        blocks = consecutive("features", [count for _, count, _ in LAYERS], first=3)
        return {"stem": children("features", 0, 3), **blocks, "output": ("output",)}


def _side_after(side: int) -> int:
    for stride in (2, *(stride for _, _, stride in LAYERS)):
        side = (side + stride - 1) // stride
    return side


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")  # He et al., 2015, as the standard network has it
    if isinstance(module, nn.Linear):
        nn.init.xavier_normal_(module.weight)
        nn.init.zeros_(module.bias)


NETWORKS = {"lrfr_resnet34": Network(ResNet34, Shape(size=(112, 112), embedding_dim=512, dropout=0.5))}
