"""The residual unit that CentreFace's and SphereFace's authors share, and how their Caffe files initialise it."""

import torch
from torch import nn


class ResidualUnit(nn.Module):
    """Twice a 3 x 3 convolution and PReLU; the input is added behind the second PReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            *(
                layer
                for _ in range(2)
                for layer in (nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.PReLU(channels))
            )
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) to the same shape."""
        return features + self.residual(features)


def initialise(module: nn.Module) -> None:
    """Caffe's ``xavier`` (uniform, variance 1 / fan-in), biases 0; within units a Gaussian of deviation 0.01.

    The convolutions of the units are those without a bias: both Caffe files hold theirs at 0.
    """
    if not isinstance(module, nn.Conv2d | nn.Linear):
        return
    if module.bias is None:
        nn.init.normal_(module.weight, std=0.01)
    else:
        nn.init.kaiming_uniform_(module.weight, nonlinearity="linear")
        nn.init.zeros_(module.bias)
