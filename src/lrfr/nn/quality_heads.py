"""Heads that predict the quality of an image beside its embedding: a part of the model, as its backbone is."""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import nn

from lrfr.config import Section


class RecognizabilitySettings(Section):
    """RI's perceptibility regression: the flattened feature map, dropout of this probability (0..1), one FC.

    Chai et al., "Recognizability Embedding Enhancement for Very Low-Resolution Face Recognition and Quality
    Estimation", CVPR 2023, section 3.2.
    """

    name: Literal["recognizability"]
    dropout: float = Field(ge=0, lt=1)


class ClassifiabilitySettings(Section):
    """CR-FIQA's regression: one FC on the embedding.

    Boutros et al., "CR-FIQA: Face Image Quality Assessment by Learning Sample Relative Classifiability", CVPR 2023,
    section 3.3.
    """

    name: Literal["classifiability"]


QualityHeadSettings = Annotated[RecognizabilitySettings | ClassifiabilitySettings, Field(discriminator="name")]


class Recognizability(nn.Module):
    """The prediction of RI's index from a feature map of the given shape (C, h, w)."""

    def __init__(self, shape: tuple[int, int, int], dropout: float) -> None:
        super().__init__()
        channels, height, width = shape
        self.regression = nn.Sequential(nn.Flatten(), nn.Dropout(dropout), nn.Linear(channels * height * width, 1))

    def forward(self, features: torch.Tensor, embedding: torch.Tensor) -> torch.Tensor:
        """Feature maps (B, C, h, w) to the predicted index (B,), float32; higher is better."""
        return self.regression(features).squeeze(1).float()


class Classifiability(nn.Module):
    """The prediction of CR-FIQA's relative classifiability from an embedding of D numbers."""

    def __init__(self, embedding_dim: int) -> None:
        super().__init__()
        self.regression = nn.Linear(embedding_dim, 1)

    def forward(self, features: torch.Tensor, embedding: torch.Tensor) -> torch.Tensor:
        """Embeddings (B, D) to the predicted classifiability (B,), float32; higher is better."""
        return self.regression(embedding).squeeze(1).float()


def build_quality_head(settings: QualityHeadSettings, shape: tuple[int, int, int], embedding_dim: int) -> nn.Module:
    """A new head for feature maps of a shape (C, h, w) and embeddings of D numbers."""
    if isinstance(settings, RecognizabilitySettings):
        return Recognizability(shape, settings.dropout)
    return Classifiability(embedding_dim)
