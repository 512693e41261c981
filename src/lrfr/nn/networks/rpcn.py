"""RPCN (Wang et al., "Studying Very Low Resolution Recognition Using Deep Networks", CVPR 2016): two channels of three
convolutions, for low and for high resolution, which have a part of each layer's filters in common.

Only the channel for low resolution is deployed: it is the network ``lrfr_rpcn``, and the other one learns beside it.
That it has three convolutions is said by Cheng, Zhu & Gong (ACCV 2018, section 5.2); their shapes we do not have. Ours:
the kernels of SRCNN (Dong et al., 2014; 9, 5 and 5 px, 64 and 32 filters), from which it takes super-resolution for
pretraining, with 32 filters in the third layer too, as the image is made by a further convolution then. All of them
keep the image's size, which super-resolution needs; max-pooling over 4 x 4 px and one FC layer follow. 112 x 96 px and
512 values are CentreFace's, beside which CSRI's paper puts it. Initialisation: normal by He et al. (2015), as all
activations are ReLU.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from lrfr.nn.networks.face_network import FaceNetwork
from lrfr.nn.networks.feature_map import feature_map
from lrfr.nn.networks.shape import Network, Shape

KERNELS = (9, 5, 5)
FILTERS = (64, 32, 32)
POOLING = 4


class Rpcn(FaceNetwork):
    """The channel for low resolution: three convolutions with ReLU, max-pooling, one FC layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        channels = [3, *(round(base * shape.width) for base in FILTERS)]
        self.first, self.second, self.third = (
            nn.Conv2d(before, after, kernel, padding=kernel // 2)
            for (before, after), kernel in zip(pairwise(channels), KERNELS, strict=True)
        )
        height, width = feature_map("lrfr_rpcn", shape.size, _side_after)
        self.output = nn.Sequential(
            nn.MaxPool2d(POOLING, ceil_mode=True),
            nn.Dropout(shape.dropout),
            nn.Flatten(),
            nn.Linear(channels[-1] * height * width, shape.embedding_dim),
        )
        self.apply(initialise)

    def forward_features(self, images: torch.Tensor) -> torch.Tensor:
        """Normalised images (B, 3, H, W) to the third convolution's features (B, C, H, W), none of them negative."""
        return F.relu(self.third(F.relu(self.second(F.relu(self.first(images))))))


class CoupledConv2d(nn.Module):
    """A convolution whose first k of n filters are another one's, and only the other n - k its own.

    It holds no filter that it borrows: the lender is given with the images.

    Args:
        lender: a convolution of n filters; the kernel and the padding are its too.
        share: k / n, 0..1; below 1, and k is rounded down, so that there is always a filter of its own.
    """

    def __init__(self, lender: nn.Conv2d, share: float) -> None:
        super().__init__()
        self.borrowed = int(share * lender.out_channels)
        own = lender.out_channels - self.borrowed
        self.own = nn.Conv2d(lender.in_channels, own, lender.kernel_size, padding=lender.padding)  # pyrefly: ignore

    def forward(self, images: torch.Tensor, lender: nn.Conv2d) -> torch.Tensor:
        """(B, C_in, H, W) to (B, n, H, W), the lent filters' channels first."""
        weight = torch.cat([lender.weight[: self.borrowed], self.own.weight])
        bias = torch.cat([lender.bias[: self.borrowed], self.own.bias])  # pyrefly: ignore
        return F.conv2d(images, weight, bias, padding=lender.padding)  # pyrefly: ignore


class HighResolutionChannel(nn.Module):
    """The channel for high resolution, whose convolutions borrow from those of the channel for low resolution.

    Args:
        low: the channel for low resolution.
        coupled: the share of borrowed filters in each of the three layers, 0..1.
    """

    def __init__(self, low: Rpcn, coupled: Sequence[float]) -> None:
        super().__init__()
        first, second, third = coupled
        self.first = CoupledConv2d(low.first, first)
        self.second = CoupledConv2d(low.second, second)
        self.third = CoupledConv2d(low.third, third)
        self.apply(initialise)

    def features(self, images: torch.Tensor, low: Rpcn) -> torch.Tensor:
        """Normalised images (B, 3, H, W) to the third convolution's features (B, C, H, W), none of them negative."""
        features = F.relu(self.second(F.relu(self.first(images, low.first)), low.second))
        return F.relu(self.third(features, low.third))


def initialise(module: nn.Module) -> None:
    """Normal by He et al. (2015), biases 0."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        nn.init.zeros_(module.bias)  # pyrefly: ignore


def _side_after(side: int) -> int:
    return (side + POOLING - 1) // POOLING


NETWORKS = {"lrfr_rpcn": Network(Rpcn, Shape(size=(112, 96), embedding_dim=512, dropout=0.0))}
