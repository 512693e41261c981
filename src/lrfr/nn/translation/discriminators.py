"""Discriminators over patches: an output for each of many overlapping parts of a face."""

import torch
from torch import nn

from lrfr.nn.translation.layers import initialise, scaled

CHANNELS = 64  # of the first layer, as published; each further one has twice as many, up to eight times


class PatchDiscriminator(nn.Module):
    """PatchGAN (Isola, Zhu, Zhou & Efros, CVPR 2017): convolutions of 4 px with stride 2, then two with stride 1; the
    first is not normalised, leaky ReLU of 0.2. With three strides it is the 70 x 70 one of CycleGAN.

    Args:
        width: factor on the channels, 1 as published.
        strides: how often the resolution is halved.
    """

    def __init__(self, width: float, strides: int = 3) -> None:
        super().__init__()
        channels = [scaled(CHANNELS * min(2**number, 8), width) for number in range(strides + 1)]
        layers: list[nn.Module] = [nn.Conv2d(3, channels[0], 4, 2, 1), nn.LeakyReLU(0.2)]
        for number in range(1, strides + 1):
            stride = 2 if number < strides else 1
            layers += [
                nn.Conv2d(channels[number - 1], channels[number], 4, stride, 2 if stride == 1 else 1, bias=False),
                nn.InstanceNorm2d(channels[number], affine=True),
                nn.LeakyReLU(0.2),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels[-1], 1, 4, 1, 1))
        initialise(self)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """RGB images (B, 3, H, W), values 0..1, to an output for each part (B, 1, h, w): 1 for what is real."""
        return self.layers(2 * images - 1)
