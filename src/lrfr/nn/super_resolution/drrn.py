"""DRRN: one recursive block of twenty-five residual units that share their convolutions (Tai, Yang & Liu, "Image
super-resolution via deep recursive residual network", CVPR 2017, DRRN_B1U25).

297,216 weights of convolutions on luminance, as published (297 K); on RGB 301,824. Convolutions have biases, and each
convolution of each unit a normalisation of its own, with its own statistics, factor and bias, as in the authors' Caffe
file; only the convolutions are shared. All start by He's initialisation except the last convolution, which starts at
0: an untrained network is the identity, so that a recogniser behind it starts from what it knows.
"""

import torch
from torch import nn

CHANNELS = 128
UNITS = 25


class DRRN(nn.Module):
    """52 convolutions, each behind batch normalisation and ReLU; their result is added to the input.

    Args:
        width: factor on the channels, 128 as published.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        channels = round(CHANNELS * width)
        self.first = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(), _convolution(3, channels))
        self.shared = nn.ModuleList(_convolution(channels, channels) for _ in range(2))
        self.normalisations = nn.ModuleList(
            nn.ModuleList(nn.BatchNorm2d(channels) for _ in self.shared) for _ in range(UNITS)
        )
        self.last = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(), _convolution(channels, 3))
        nn.init.zeros_(self.last[-1].weight)  # pyrefly: ignore - a convolution

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Enlarged RGB images (B, 3, H, W), values 0..1, to super-resolved ones of the same shape."""
        block = features = self.first(images)
        for unit in self.normalisations:
            residual = features
            for normalisation, convolution in zip(unit, self.shared, strict=True):  # pyrefly: ignore - a list
                residual = convolution(normalisation(residual).relu())
            features = block + residual  # every unit's identity is the block's input (equation 3)
        return images + self.last(features)


def _convolution(before: int, after: int) -> nn.Conv2d:
    convolution = nn.Conv2d(before, after, 3, padding=1)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    nn.init.zeros_(convolution.bias)  # pyrefly: ignore - it has one
    return convolution
