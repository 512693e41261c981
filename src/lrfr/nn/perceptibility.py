"""RI's perceptibility attention: to the channels of a feature map, then to its places, then an FC.

Chai et al., "Recognizability Embedding Enhancement for Very Low-Resolution Face Recognition and Quality Estimation",
CVPR 2023, section 3.4; the two kinds of attention are those that it takes from Woo et al., "CBAM: Convolutional Block
Attention Module", ECCV 2018, section 3.
"""

import torch
from torch import nn

REDUCTION = 16  # of the channels within their attention (CBAM, section 3)
KERNEL = 7  # px, of the places' attention (CBAM, section 4.1)


class ChannelAttention(nn.Module):
    """A factor 0..1 for each channel, from the channel's mean and its maximum (CBAM, eq 2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(channels // REDUCTION, 1)
        self.shared = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Feature maps (B, C, h, w) to factors (B, C, 1, 1)."""
        pooled = self.shared(features.mean((2, 3))) + self.shared(features.amax((2, 3)))
        return torch.sigmoid(pooled)[:, :, None, None]


class SpatialAttention(nn.Module):
    """A factor 0..1 for each place, from the mean and the maximum over the channels around it (CBAM, eq 3)."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(2, 1, KERNEL, padding=KERNEL // 2, bias=False)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Feature maps (B, C, h, w) to factors (B, 1, h, w)."""
        pooled = torch.cat([features.mean(1, keepdim=True), features.amax(1, keepdim=True)], dim=1)
        return torch.sigmoid(self.convolution(pooled))


class PerceptibilityAttention(nn.Module):
    """The attended embedding of a feature map.

    Args:
        shape: channels, height and width of the feature map.
        embedding_dim: D.
    """

    def __init__(self, shape: tuple[int, int, int], embedding_dim: int) -> None:
        super().__init__()
        channels, height, width = shape
        self.channel, self.spatial = ChannelAttention(channels), SpatialAttention()
        self.output = nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, embedding_dim))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Feature maps (B, C, h, w) to attended embeddings (B, D), float32."""
        attended = self.channel(features) * features
        attended = self.spatial(attended) * attended
        return self.output(attended).float()
