"""The plain softmax."""

from typing import Literal

import torch
from torch.nn import functional as F

from lrfr.nn.heads.head import Head, SampledSettings, at_least_float32


class SoftmaxSettings(SampledSettings):
    """The plain softmax has nothing to set."""

    name: Literal["Softmax"]


class Softmax(Head):
    """Inner products w_j x, without a bias: a bias would be left behind when the head is taken off."""

    def forward(self, embedding: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Logits (B, C) of embeddings (B, D); ``labels`` (B,) int64 are not used."""
        return self.plain(embedding)

    def logits(self, embedding: torch.Tensor, prototypes: torch.Tensor) -> torch.Tensor:
        """Inner products (B, C)."""
        with torch.autocast(embedding.device.type, enabled=False):
            return F.linear(*at_least_float32(embedding, prototypes))
