"""IR-ResNet without the middle normalisation of a block, with or without squeeze-and-excitation.

The layout of InsightFace_Pytorch (TreB1eN, ``model.py``), face.evoLVe (Zhao et al., ``backbone/model_irse.py``) and
CurricularFace (Huang et al., CVPR 2020), in which their weights are published: 112 x 112 px in, 512 out. The last BN of
CurricularFace has neither factor nor bias.
"""

from functools import partial

import torch
from torch import nn

from lrfr.nn.networks.iresnet import ImprovedResNet, bare_norm, shortcut
from lrfr.nn.networks.se_resnet import Gate
from lrfr.nn.networks.shape import Network, Shape


class IRSEBlock(nn.Module):
    """BN, 3 x 3 convolution, PReLU, 3 x 3 convolution, BN; and a gate on what they give, where ``gated``."""

    def __init__(self, channels_in: int, channels_out: int, stride: int, gated: bool) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.BatchNorm2d(channels_in),
            nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
            nn.PReLU(channels_out),
            nn.Conv2d(channels_out, channels_out, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
        )
        self.gate = Gate(channels_out, bias=False) if gated else None
        self.shortcut = shortcut(channels_in, channels_out, stride, takes_pixels=True)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(B, C_in, H, W) to (B, C_out, H / stride, W / stride)."""
        residual = self.residual(features)
        if self.gate is not None:
            residual = self.gate(residual) * residual
        return residual + self.shortcut(features)


# Blocks in each stage, whether they are gated, and the last BN, by the name of the network
IRSE = {
    "lrfr_ir50_evolve": ((3, 4, 14, 3), False, nn.BatchNorm1d),
    "lrfr_ir101_evolve": ((3, 13, 30, 3), False, nn.BatchNorm1d),
    "lrfr_ir152_evolve": ((3, 8, 36, 3), False, nn.BatchNorm1d),
    "lrfr_irse50_evolve": ((3, 4, 14, 3), True, nn.BatchNorm1d),
    "lrfr_ir101_curricularface": ((3, 13, 30, 3), False, bare_norm),
}

NETWORKS = {
    name: Network(
        partial(ImprovedResNet, blocks, block=partial(IRSEBlock, gated=gated), last_norm=norm),
        Shape((112, 112), 512, dropout=0.4 if norm is bare_norm else 0.5),
    )
    for name, (blocks, gated, norm) in IRSE.items()
}
