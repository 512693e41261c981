"""SRCNN: three convolutions (Dong, Loy, He & Tang, "Learning a deep convolutional network for image super-resolution",
ECCV 2014; "Image super-resolution using deep convolutional networks", TPAMI 2016, the 9-5-5 network of its Table 3).

57,184 weights on luminance, as published; on RGB 103,096 of them and 99 biases.

Where we differ from the paper:

- RGB in and out, as TPAMI's section 4.5, since faces are recognised in colour.
- Padded with zeros, so that the size stays: the papers' networks, without padding, make an image 16 px smaller in each
  direction, which is most of a face.
- The initialisation. The papers' Gaussian of deviation 0.001 makes an untrained network answer with a black image,
  from which a recogniser behind it can learn nothing. Ours hands the three colours through, on one filter each, and
  is the identity at first; every other filter starts by He's initialisation, with weight 0 in the last convolution.
"""

import torch
from torch import nn

FILTERS = (64, 32)


class SRCNN(nn.Module):
    """Patch extraction, non-linear mapping, reconstruction; ReLU between them.

    Args:
        width: factor on the filters, 64 and 32 as published; 0.1 at least leaves one for each colour.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        wide, narrow = (round(filters * width) for filters in FILTERS)
        self.layers = nn.Sequential(
            _handing_on(3, wide, 9), nn.ReLU(), _handing_on(wide, narrow, 5), nn.ReLU(), _handing_on(narrow, 3, 5)
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Enlarged RGB images (B, 3, H, W), values 0..1, to super-resolved ones of the same shape."""
        return self.layers(images)


def _handing_on(before: int, after: int, kernel: int) -> nn.Conv2d:
    """A convolution whose first three filters are the identity of the first three channels."""
    convolution = nn.Conv2d(before, after, kernel, padding=kernel // 2)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    nn.init.zeros_(convolution.bias)  # pyrefly: ignore - it has one
    with torch.no_grad():
        convolution.weight[:3] = 0
        for colour in range(3):
            convolution.weight[colour, colour, kernel // 2, kernel // 2] = 1
    return convolution
