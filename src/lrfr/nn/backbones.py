"""Backbones: face images to embeddings. Ours are named ``lrfr_...``; every other name is looked up in timm."""

import torch
from pydantic import Field
from torch import nn

from lrfr.config import Section
from lrfr.errors import unknown_name

BLOCKS = {
    "lrfr_ir18": (2, 2, 2, 2),
    "lrfr_ir34": (3, 4, 6, 3),
    "lrfr_ir50": (3, 4, 14, 3),
    "lrfr_ir100": (3, 13, 30, 3),
}


class Architecture(Section):
    """All that is needed to build a backbone again.

    Attributes:
        backbone: a name in ``BLOCKS``, or one of timm's.
        width: factor on the channels of our own backbones; 1 is the published network.
        embedding_dim: D.
        input_size: the side of the square that faces are resized to, px.
        dropout: probability before the last layer, 0..1.
    """

    backbone: str
    width: float = Field(ge=0.05, le=4)
    embedding_dim: int = Field(gt=1)
    input_size: int = Field(ge=16)
    dropout: float = Field(ge=0, lt=1)


class ImprovedResidualBlock(nn.Module):
    """BN, 3 x 3 convolution, BN, PReLU, 3 x 3 convolution, BN (Deng et al., ArcFace, 2019, section 3.1)."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.BatchNorm2d(channels_in),
            nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.PReLU(channels_out),
            nn.Conv2d(channels_out, channels_out, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels_out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels_in, channels_out, 1, stride, bias=False), nn.BatchNorm2d(channels_out)
            )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(B, C_in, H, W) to (B, C_out, H / stride, W / stride)."""
        return self.residual(features) + self.shortcut(features)


class ImprovedResNet(nn.Module):
    """IR-ResNet with the output layer BN, dropout, FC, BN ("option E" of ArcFace, 2019)."""

    def __init__(self, blocks: tuple[int, ...], architecture: Architecture) -> None:
        super().__init__()
        channels = [round(base * architecture.width) for base in (64, 64, 128, 256, 512)]
        self.stem = nn.Sequential(
            nn.Conv2d(3, channels[0], 3, padding=1, bias=False), nn.BatchNorm2d(channels[0]), nn.PReLU(channels[0])
        )
        self.stages = nn.Sequential(
            *(
                ImprovedResidualBlock(channels[stage if first else stage + 1], channels[stage + 1], 2 if first else 1)
                for stage, count in enumerate(blocks)
                for first in [True] + [False] * (count - 1)
            )
        )
        side = architecture.input_size
        for _ in blocks:
            side = (side + 1) // 2
        self.output = nn.Sequential(
            nn.BatchNorm2d(channels[-1]),
            nn.Dropout(architecture.dropout),
            nn.Flatten(),
            nn.Linear(channels[-1] * side * side, architecture.embedding_dim),
            nn.BatchNorm1d(architecture.embedding_dim, affine=False),
        )
        self.apply(_initialise)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Normalised images (B, 3, S, S) to embeddings (B, D)."""
        return self.output(self.stages(self.stem(images)))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
    if isinstance(module, nn.Linear):
        nn.init.xavier_normal_(module.weight)
        nn.init.zeros_(module.bias)


def to_square(images: torch.Tensor, side: int) -> torch.Tensor:
    """Images (B, 3, H, W) to (B, 3, side, side), bilinear, antialiased: the one way in which faces are resized."""
    if images.shape[-2:] == (side, side):
        return images
    return nn.functional.interpolate(images, (side, side), mode="bilinear", antialias=True)


class Embedder(nn.Module):
    """A backbone with its own resizing and normalisation, so that neither can be forgotten.

    Takes RGB images (B, 3, H, W) of any size, values 0..1.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.backbone = _backbone(architecture)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """RGB images (B, 3, H, W), values 0..1, to embeddings (B, D), float32, not normalised to unit length."""
        images = to_square(images, self.architecture.input_size)
        images = ((images - 0.5) / 0.5).contiguous(memory_format=torch.channels_last)
        return self.backbone(images).float()


def _backbone(architecture: Architecture) -> nn.Module:
    """Our own network, or timm's of that name.

    Raises:
        ParameterError: neither we nor timm know the name.
    """
    if architecture.backbone in BLOCKS:
        return ImprovedResNet(BLOCKS[architecture.backbone], architecture)
    import timm  # 5 s: only for those who ask for one of its models

    if not timm.is_model(architecture.backbone):
        raise unknown_name("backbone", architecture.backbone, [*BLOCKS, *timm.list_models()[:20], "... (timm's)"])
    return timm.create_model(
        architecture.backbone, num_classes=architecture.embedding_dim, drop_rate=architecture.dropout
    )
