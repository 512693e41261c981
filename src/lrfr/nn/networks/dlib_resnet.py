"""dlib's face recognition network: a residual network of 29 convolutions, whose weights are in the public domain.

D. E. King, dlib-models: ``dlib_face_recognition_resnet_model_v1``, 2017; the layers are those of dlib's
``dnn_metric_learning_on_images_ex.cpp``: ResNet-34 of He et al. (CVPR 2016) with fewer layers and half of the channels.
150 x 150 px in, 128 values out, which are compared by their Euclidean distance.

A convolution that strides has no padding. Each is followed by a factor and a shift per channel: the batch normalisation
of its training, which dlib folds. The shortcut of a unit that strides is a 2 x 2 average, and the smaller of the two
branches is padded with zeros: in channels, on the right and at the bottom.

Ours, for images below 103 px: what is smaller than the kernel of a unit that strides is padded in the same way. And for
training from the start: without normalisation the units' sums would grow with the depth, so that the last factor of
each of the 14 begins at the root of 1/14.
"""

import torch
from torch import nn
from torch.nn import functional as F

from lrfr.nn.networks.face_network import FaceNetwork
from lrfr.nn.networks.feature_map import feature_map
from lrfr.nn.networks.shape import Network, Shape

# Channels and stride of each unit
UNITS = (*[(32, 1)] * 3, (64, 2), *[(64, 1)] * 3, (128, 2), *[(128, 1)] * 2, (256, 2), *[(256, 1)] * 2, (256, 2))


class Affine(nn.Module):
    """A factor and a shift for each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) to the same shape."""
        return features * self.weight[:, None, None] + self.bias[:, None, None]


class DlibUnit(nn.Module):
    """Twice a 3 x 3 convolution and a factor, ReLU between them and behind the sum."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.strides = stride != 1
        self.residual = nn.Sequential(
            nn.Conv2d(channels_in, channels, 3, stride, padding=0 if self.strides else 1),
            Affine(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1),
            Affine(channels),
        )
        self.shortcut = nn.AvgPool2d(2) if self.strides else nn.Identity()

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(B, C_in, H, W) to (B, C_out, H / stride, W / stride), rounded down, and at least 1 px."""
        if self.strides:
            features = padded(features, (0, 3, 3))
        residual, shortcut = self.residual(features), self.shortcut(features)
        return torch.relu(padded(residual, shortcut.shape[1:]) + padded(shortcut, residual.shape[1:]))


class DlibResNet(FaceNetwork):
    """A 7 x 7 convolution, max pooling, 14 units, the average over all, dropout, FC without bias."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        feature_map("lrfr_dlib_resnet", shape.size, _side_after)
        channels = round(UNITS[0][0] * shape.width)
        self.stem = nn.Sequential(
            nn.Conv2d(3, channels, 7, stride=2), Affine(channels), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2)
        )
        units = []
        for base, stride in UNITS:
            before, channels = channels, round(base * shape.width)
            units.append(DlibUnit(before, channels, stride))
        self.units = nn.Sequential(*units)
        self.output = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(shape.dropout),
            nn.Linear(channels, shape.embedding_dim, bias=False),
        )
        self.apply(_initialise)

    def forward_features(self, images: torch.Tensor) -> torch.Tensor:
        """Normalised images (B, 3, H, W) to the last feature map (B, C, h, w)."""
        return self.units(self.stem(images))


def padded(features: torch.Tensor, least: tuple[int, ...]) -> torch.Tensor:
    """Features (B, C, H, W) of at least so many channels, rows and columns, zeros behind those that are there."""
    missing = [max(0, int(wanted) - int(side)) for wanted, side in zip(least, features.shape[1:], strict=True)]
    channels, height, width = missing
    return F.pad(features, (0, width, 0, height, 0, channels)) if any(missing) else features


def _side_after(side: int) -> int:
    """Of the features behind the stem, the only layers that are not padded where they have to be."""
    return ((side - 7) // 2 + 1 - 3) // 2 + 1


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
        nn.init.zeros_(module.bias)  # pyrefly: ignore - all of them have one
    if isinstance(module, nn.Linear):
        nn.init.xavier_normal_(module.weight)
    if isinstance(module, DlibUnit):
        nn.init.constant_(module.residual[-1].weight, len(UNITS) ** -0.5)  # pyrefly: ignore


NETWORKS = {"lrfr_dlib_resnet": Network(DlibResNet, Shape((150, 150), 128, dropout=0.0))}
