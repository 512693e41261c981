"""The plain softmax."""

from typing import Literal

import torch
from torch import nn
from torch.nn import functional as F

from lrfr.nn.heads.head import Head, SampledSettings, at_least_float32


class SoftmaxSettings(SampledSettings):
    """The plain softmax has nothing to set."""

    name: Literal["Softmax"]


class Softmax(Head):
    """Inner products w_j x, without a bias: a bias would be left behind when the head is taken off. Only a published
    classifier that goes on being one keeps its own: w_j x + b_j.

    Args:
        embedding_dim: D.
        num_classes: C.
    """

    bias: nn.Parameter | None

    def __init__(self, embedding_dim: int, num_classes: int) -> None:
        super().__init__(embedding_dim, num_classes)
        self.register_parameter("bias", None)

    def forward(self, embedding: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Logits (B, C) of embeddings (B, D); ``labels`` (B,) int64 are not used."""
        return self.plain(embedding)

    def logits(self, embedding: torch.Tensor, prototypes: torch.Tensor) -> torch.Tensor:
        """Inner products (B, C), and the bias of each identity."""
        with torch.autocast(embedding.device.type, enabled=False):
            embedding, prototypes = at_least_float32(embedding, prototypes)
            return F.linear(embedding, prototypes, self.bias)
