"""Layers that the networks of several translators are made of."""

import torch
from torch import nn
from torch.nn import functional as F

LEAST = 4  # channels of the narrowest layer


def scaled(channels: int, width: float) -> int:
    """A layer's channels at a width, 1 as published."""
    return max(round(channels * width), LEAST)


def convolution(before: int, after: int, kernel: int, stride: int = 1, normalised: bool = True) -> nn.Sequential:
    """A convolution, padded by reflection, with instance normalisation and ReLU."""
    layers: list[nn.Module] = [
        nn.Conv2d(before, after, kernel, stride, kernel // 2, padding_mode="reflect", bias=not normalised)
    ]
    if normalised:
        layers.append(nn.InstanceNorm2d(after, affine=True))
    return nn.Sequential(*layers, nn.ReLU(inplace=True))


class Residual(nn.Module):
    """Two 3 x 3 convolutions whose result is added to the input (Zhu et al., CycleGAN, 2017, appendix 7.2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = convolution(channels, channels, 3)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect", bias=False),
            nn.InstanceNorm2d(channels, affine=True),
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features (B, C, H, W) to features of the same shape."""
        return features + self.second(self.first(features))


class Enlarging(nn.Module):
    """Nearest neighbours, to a given size, and a convolution: without the checkerboard of a transposed one."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.layers = convolution(before, after, 3)

    def forward(self, features: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """Features (B, C, h, w) to features (B, C', H, W)."""
        return self.layers(F.interpolate(features, size, mode="nearest"))


class SqueezeAndExcitation(nn.Module):
    """Channels weighed by what all of the image says (Hu, Shen & Sun, CVPR 2018), with a reduction of 8."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(channels // 8, LEAST)
        self.weigh = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels), nn.Sigmoid())

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features (B, C, H, W) to features of the same shape."""
        return features * self.weigh(features.mean((2, 3)))[:, :, None, None]


def with_noise(features: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Features (B, C, H, W) and a vector for each (B, Z), the same everywhere, to features (B, C + Z, H, W)."""
    return torch.cat([features, noise[:, :, None, None].expand(-1, -1, *features.shape[2:])], dim=1)


def initialise(network: nn.Module) -> None:
    """Draws the weights of convolutions from N(0, 0.02), as image translation does (CycleGAN, appendix 7.1)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
