"""The floor: the same network with the weights that it was born with, never trained.

No paper proposes it. What it reaches is what image statistics alone give away; a method is worth what it adds.
"""

import torch
from torch import nn

from lrfr.config import Section
from lrfr.nn.backbones import Embedder

TRAINS_ON = None


class Settings(Section):
    """Nothing to set."""


class Untrained(nn.Module):
    """A backbone of the pretrained one's architecture, freshly initialised."""

    def __init__(self, embedder: Embedder) -> None:
        super().__init__()
        self.embedder = embedder

    def embed(self, images: torch.Tensor) -> torch.Tensor:
        """Images (B, 3, H, W), values 0..1, to embeddings (B, D)."""
        return self.embedder(images)


def build(settings: Settings, pretrained: tuple[Embedder, torch.Tensor], num_classes: int) -> Untrained:
    """Takes nothing from the pretrained model but its architecture."""
    return Untrained(Embedder(pretrained[0].architecture).eval())
