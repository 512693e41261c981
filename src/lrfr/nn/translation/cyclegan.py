"""CycleGAN's generator (Zhu, Park, Isola & Efros, "Unpaired Image-to-Image Translation using Cycle-Consistent
Adversarial Networks", ICCV 2017, appendix 7.2): c7s1-64, d128, d256, six residual blocks, u128, u64, c7s1-3.

Six blocks are those for images of 128 px and less. Fractionally strided convolutions are nearest neighbours and a
convolution here, so that images whose side is no multiple of 4 keep it.
"""

import torch
from torch import nn

from lrfr.nn.translation.layers import Enlarging, Residual, convolution, initialise, scaled

CHANNELS, BLOCKS = 64, 6


class ResnetGenerator(nn.Module):
    """Faces of one domain to faces of the other, of the same size.

    Args:
        width: factor on the channels, 64 at first as published.
    """

    noise = 0

    def __init__(self, width: float) -> None:
        super().__init__()
        first = scaled(CHANNELS, width)
        self.encoder = nn.Sequential(
            convolution(3, first, 7), convolution(first, 2 * first, 3, 2), convolution(2 * first, 4 * first, 3, 2)
        )
        self.blocks = nn.Sequential(*(Residual(4 * first) for _ in range(BLOCKS)))
        self.to_half, self.to_full = Enlarging(4 * first, 2 * first), Enlarging(2 * first, first)
        self.last = nn.Conv2d(first, 3, 7, padding=3, padding_mode="reflect")
        initialise(self)

    def forward(self, images: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Faces (B, 3, H, W), values 0..1, to faces of the same shape, values 0..1; noise (B, 0) is not needed."""
        height, width = images.shape[2:]
        half = self.to_half(self.blocks(self.encoder(2 * images - 1)), ((height + 1) // 2, (width + 1) // 2))
        return (self.last(self.to_full(half, (height, width))).tanh() + 1) / 2
