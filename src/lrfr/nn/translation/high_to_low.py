"""The High-to-Low networks (Bulat, Yang & Tzimiropoulos, "To learn image super-resolution, use a GAN to learn how to do
image degradation first", ECCV 2018, section 3.1).

The generator takes an HR face of 64 px and noise of 64 numbers, which an FC layer makes one more channel of the image.
Twelve residual blocks in six groups: behind each of the first four the resolution is halved by pooling, behind the last
two it is doubled by pixel shuffling, so that 16 px come out, a quarter. The discriminator has six residual blocks
without batch normalisation and an FC layer, its weights normalised by their spectrum, and halves the resolution behind
its last two blocks.

Where the paper is silent: 64 channels everywhere; blocks are pre-activated, batch normalisation first.
"""

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from lrfr.nn.translation.layers import scaled

CHANNELS = 64
NOISE = 64
HALVED, DOUBLED = 4, 2  # groups of two blocks
REDUCTION = 2 ** (HALVED - DOUBLED)
DEEPEST = 2**HALVED  # what a side must be a multiple of


class HighToLow(nn.Module):
    """HR faces and noise to LR faces of a quarter of the size.

    Args:
        size: of the HR faces, px, a multiple of 16; 64 as published.
        width: factor on the channels.
    """

    noise = NOISE

    def __init__(self, size: int, width: float) -> None:
        super().__init__()
        self.size, channels = size, scaled(CHANNELS, width)
        self.project = nn.Linear(NOISE, size * size)
        self.first = nn.Conv2d(4, channels, 3, padding=1)
        groups: list[nn.Module] = []
        for _ in range(HALVED):
            groups += [_Block(channels), _Block(channels), nn.AvgPool2d(2)]
        for _ in range(DOUBLED):
            groups += [_Block(channels), _Block(channels), nn.Conv2d(channels, 4 * channels, 1), nn.PixelShuffle(2)]
        self.groups = nn.Sequential(*groups)
        self.last = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, 3, 3, padding=1))

    def forward(self, images: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """HR faces (B, 3, H, W), values 0..1, and noise (B, Z) to LR faces (B, 3, H / 4, W / 4), values 0..1."""
        channel = self.project(noise).view(-1, 1, self.size, self.size)
        features = self.first(torch.cat([2 * images - 1, channel], dim=1))
        return (self.last(self.groups(features)).tanh() + 1) / 2


class SpectralDiscriminator(nn.Module):
    """LR faces to an output each, above 0 for what is real.

    Args:
        size: of the faces, px, a multiple of 4.
        width: factor on the channels.
    """

    def __init__(self, size: int, width: float) -> None:
        super().__init__()
        channels = scaled(CHANNELS, width)
        blocks: list[nn.Module] = [spectral_norm(nn.Conv2d(3, channels, 3, padding=1))]
        for number in range(6):
            blocks.append(_SpectralBlock(channels))
            if number >= 4:
                blocks.append(nn.MaxPool2d(2))
        self.blocks = nn.Sequential(*blocks, nn.ReLU(), nn.Flatten())
        self.output = spectral_norm(nn.Linear(channels * (size // 4) ** 2, 1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """LR faces (B, 3, H, W), values 0..1, to outputs (B, 1)."""
        return self.output(self.blocks(2 * images - 1))


class _Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        )  # fmt: skip

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features + self.layers(features)


class _SpectralBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReLU(), spectral_norm(nn.Conv2d(channels, channels, 3, padding=1)),
            nn.ReLU(), spectral_norm(nn.Conv2d(channels, channels, 3, padding=1)),
        )  # fmt: skip

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features + self.layers(features)
