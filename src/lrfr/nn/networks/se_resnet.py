"""SE-ResNet-50, as VGGFace2 published it: T-C's backbone.

Hu et al., "Squeeze-and-excitation networks", CVPR 2018; Cao et al., "VGGFace2: A dataset for recognising faces across
pose and age", FG 2018: 224 x 224 px in, the 2,048 averaged features out, after a ReLU and so never negative. The layers
are those of ``senet50_ft`` (Caffe), as Massoli et al. (T-C, 2020) read them: the first 1 x 1 convolution of a stage
strides, not the 3 x 3 one; pooling pads below and on the right alone; the gates' layers have biases.
"""

import torch
from torch import nn

from lrfr.nn.networks.face_network import FaceNetwork
from lrfr.nn.networks.pointwise import PointwiseConvolution
from lrfr.nn.networks.shape import Network, Shape
from lrfr.nn.networks.stages import Stages, consecutive

BLOCKS = (3, 4, 6, 3)
EXPANSION = 4  # of a block's channels, from its 3 x 3 convolution to what it gives
REDUCTION = 16  # of the channels, within the gate


class Gate(nn.Sequential):
    """A factor 0..1 for each channel, from the means of all of them (Hu et al., section 3)."""

    def __init__(self, channels: int, bias: bool = True) -> None:
        hidden = max(channels // REDUCTION, 1)
        super().__init__(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, hidden, 1, bias=bias),
            nn.ReLU(),
            nn.Conv2d(hidden, channels, 1, bias=bias),
            nn.Sigmoid(),
        )


class SqueezeExcitationBlock(nn.Module):
    """1 x 1, 3 x 3 and 1 x 1 convolution, each with BN, and a gate on what they give (Hu et al., Fig. 3)."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        channels_out = channels * EXPANSION
        self.residual = nn.Sequential(
            PointwiseConvolution(channels_in, channels, stride),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels_out, 1, bias=False),
            nn.BatchNorm2d(channels_out),
        )
        self.gate = Gate(channels_out)
        self.shortcut: nn.Module = nn.Identity()
        if channels_in != channels_out:
            self.shortcut = nn.Sequential(
                PointwiseConvolution(channels_in, channels_out, stride), nn.BatchNorm2d(channels_out)
            )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(B, C_in, H, W) to (B, C_out, H / stride, W / stride)."""
        residual = self.residual(features)
        return torch.relu(self.gate(residual) * residual + self.shortcut(features))


class SqueezeExcitationResNet(FaceNetwork):
    """SE-ResNet-50. Where the embedding is not as wide as the features, one FC follows."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        stem, *channels = (round(base * shape.width) for base in (64, 64, 128, 256, 512))
        self.stem = nn.Sequential(
            nn.Conv2d(3, stem, 7, 2, padding=3, bias=False),
            nn.BatchNorm2d(stem),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, ceil_mode=True),
        )
        blocks, channels_in = [], stem
        for stage, (count, width) in enumerate(zip(BLOCKS, channels, strict=True)):
            for block in range(count):
                blocks.append(SqueezeExcitationBlock(channels_in, width, 2 if stage and not block else 1))
                channels_in = width * EXPANSION
        self.stages = nn.Sequential(*blocks)
        self.output = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(shape.dropout))
        if shape.embedding_dim != channels_in:
            self.output.append(nn.Linear(channels_in, shape.embedding_dim))
        self.apply(_initialise)

    def forward_features(self, images: torch.Tensor) -> torch.Tensor:
        """Normalised images (B, 3, H, W) to the last feature map (B, C, h, w)."""
        return self.stages(self.stem(images))

    def named_stages(self) -> Stages:
        """``stem``, ``stage_1`` to ``stage_4``, and ``output`` where there is an FC."""
        return {"stem": ("stem",), **consecutive("stages", BLOCKS), "output": ("output",)}


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


NETWORKS = {"lrfr_seresnet50": Network(SqueezeExcitationResNet, Shape((224, 224), 2048, dropout=0.0))}
