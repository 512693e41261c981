"""DeepID2 (Sun et al., NIPS 2014, section 2 and figure 1): the network for one face region.

Takes 55 x 47 px, gives 160 values, none of them negative. The weights of the third convolution are shared within
regions of 2 x 2 places, those of the fourth not at all; the DeepID2 layer is connected to both, to the third behind its
pooling. The paper joins 25 such networks over different crops of a face and reduces them by PCA; one network over the
whole face is what evaluations under this name use. Not given: the initialisation, normal by He et al. (2015) here, as
all activations are ReLU; where an odd map is pooled, the last window hangs over, which lets 24 px pass.
"""

import torch
from torch import nn
from torch.nn import functional as F

from lrfr.nn.networks.face_network import FaceNetwork
from lrfr.nn.networks.feature_map import feature_map
from lrfr.nn.networks.shape import Network, Shape


class LocallySharedConv2d(nn.Module):
    """An unpadded convolution whose weights are shared within regions of R x R places of its output only.

    Args:
        channels_in: C_in.
        channels_out: C_out.
        kernel: its side, px.
        size: height and width of its output.
        region: R; 1 shares nothing. Regions at the lower and right edge may be cut off.
    """

    def __init__(self, channels_in: int, channels_out: int, kernel: int, size: tuple[int, int], region: int) -> None:
        super().__init__()
        self.kernel, self.size, self.region = kernel, size, region
        self.rows, self.columns = (-(-side // region) for side in size)
        fan_in = channels_in * kernel**2
        self.weight = nn.Parameter(torch.empty(self.rows, self.columns, channels_out, fan_in))
        self.bias = nn.Parameter(torch.zeros(self.rows, self.columns, channels_out))
        nn.init.normal_(self.weight, std=(2 / fan_in) ** 0.5)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(B, C_in, H + kernel - 1, W + kernel - 1) to (B, C_out, H, W)."""
        (height, width), region = self.size, self.region
        patches = F.unfold(features, self.kernel).unflatten(-1, self.size)
        patches = F.pad(patches, (0, self.columns * region - width, 0, self.rows * region - height))
        patches = patches.unflatten(-1, (self.columns, region)).unflatten(-3, (self.rows, region))
        regions = torch.einsum("bkryxc,rxok->brxoyc", patches, self.weight) + self.bias[..., None, None]
        return regions.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)[..., :height, :width]


class DeepID2(FaceNetwork):
    """Four convolutions, the first three with pooling; the embedding sees the third and the fourth."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        channels = [round(base * shape.width) for base in (20, 40, 60, 80)]
        height, width = feature_map("lrfr_deepid2", shape.size, _side_after)
        third = (_third(shape.size[0]), _third(shape.size[1]))
        self.low = nn.Sequential(
            nn.Conv2d(3, channels[0], 4),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.Conv2d(channels[0], channels[1], 3),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2, ceil_mode=True),
        )
        self.third = nn.Sequential(
            LocallySharedConv2d(channels[1], channels[2], 3, third, region=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2, ceil_mode=True),
        )
        self.fourth = nn.Sequential(
            LocallySharedConv2d(channels[2], channels[3], 2, (height, width), region=1), nn.ReLU(inplace=True)
        )
        neurons = channels[2] * (height + 1) * (width + 1) + channels[3] * height * width
        self.output = nn.Sequential(
            nn.Dropout(shape.dropout), nn.Linear(neurons, shape.embedding_dim), nn.ReLU(inplace=True)
        )
        self.apply(_initialise)

    def forward_features(self, images: torch.Tensor) -> torch.Tensor:
        """Normalised images (B, 3, H, W) to the third convolution's map behind its pooling (B, C, h, w), which the
        fourth and the embedding see."""
        return self.third(self.low(images))

    def forward_head(self, features: torch.Tensor) -> torch.Tensor:
        """The third convolution's map (B, C, h, w) to embeddings (B, D), none of whose values is negative."""
        return self.output(torch.cat([features.flatten(1), self.fourth(features).flatten(1)], dim=1))


def _pooled(side: int) -> int:
    return (side + 1) // 2


def _third(side: int) -> int:
    return _pooled(_pooled(side - 3) - 2) - 2


def _side_after(side: int) -> int:
    return _pooled(_third(side)) - 1


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        nn.init.zeros_(module.bias)


NETWORKS = {"lrfr_deepid2": Network(DeepID2, Shape(size=(55, 47), embedding_dim=160, dropout=0.0))}
