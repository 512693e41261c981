"""VDSR: twenty convolutions that add detail to the enlarged image (Kim, Lee & Lee, "Accurate image super-resolution
using very deep convolutional networks", CVPR 2016). CSRI's super-resolution network.

664,704 weights on luminance, as published (665 K); on RGB 667,008 of them and 1,219 biases. All start by He's
initialisation except the last convolution, which starts at 0: an untrained network is the identity, so that a
recogniser behind it starts from what it knows.
"""

import torch
from torch import nn

LAYERS = 20
CHANNELS = 64


class VDSR(nn.Module):
    """3 x 3 convolutions, padded, with a ReLU behind all but the last; their result is added to the input.

    Args:
        width: factor on the channels, 64 as published.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        channels = round(CHANNELS * width)
        layers: list[nn.Module] = []
        for before in (3, *[channels] * (LAYERS - 2)):
            layers += [nn.Conv2d(before, channels, 3, padding=1), nn.ReLU()]
        self.residual = nn.Sequential(*layers, nn.Conv2d(channels, 3, 3, padding=1))
        for layer in self.residual[::2]:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")  # pyrefly: ignore - a convolution
            nn.init.zeros_(layer.bias)  # pyrefly: ignore
        nn.init.zeros_(self.residual[-1].weight)  # pyrefly: ignore

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Enlarged RGB images (B, 3, H, W), values 0..1, to super-resolved ones of the same shape."""
        return images + self.residual(images)
