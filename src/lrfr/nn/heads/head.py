"""What all heads have in common: prototypes, cross entropy, and logits without a margin."""

import functools

import torch
from pydantic import Field
from torch import nn
from torch.nn import functional as F

from lrfr.config import Section
from lrfr.nn.training.task import Terms


class SampledSettings(Section):
    """``sample_rate`` (0..1) is the share of the identities that an update draws; at 1 there is no drawing.

    See :class:`lrfr.nn.heads.partial_fc.PartialFC`.
    """

    sample_rate: float = Field(1, gt=0, le=1)


class CosineSettings(SampledSettings):
    """``scale``, s, multiplies every cosine."""

    scale: float = Field(64, gt=0, le=10_000)


class Head(nn.Module):
    """Embeddings and labels to scaled logits with their margin, for cross entropy.

    Everything is computed in float32 (float64 where that is given), whatever the autocast.

    Args:
        embedding_dim: D.
        num_classes: C.
    """

    def __init__(self, embedding_dim: int, num_classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(num_classes, embedding_dim))
        nn.init.normal_(self.weight, std=0.01)

    def forward(self, embedding: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Logits (B, C) of embeddings (B, D), with the margin applied at ``labels`` (B,) int64."""
        raise NotImplementedError

    def logits(self, embedding: torch.Tensor, prototypes: torch.Tensor) -> torch.Tensor:
        """Logits (B, C) of embeddings (B, D) for prototypes (C, D), without a margin."""
        raise NotImplementedError

    def plain(self, embedding: torch.Tensor) -> torch.Tensor:
        """Logits (B, C) without the margin, as the trained model is judged."""
        return self.logits(embedding, self.weight)

    def losses(self, embedding: torch.Tensor, labels: torch.Tensor) -> Terms:
        """Cross entropy, and what the head asks of the embeddings beside it; scalars with their weights."""
        return {"classification": cross_entropy(self(embedding, labels), labels)}


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The softmax cross entropy of logits (B, C) with the identities ``labels`` (B,) int64, their mean."""
    return F.cross_entropy(logits, labels)


def cosines(embedding: torch.Tensor, prototypes: torch.Tensor) -> torch.Tensor:
    """The cosines (B, C), -1..1, of embeddings (B, D) with prototypes (C, D)."""
    with torch.autocast(embedding.device.type, enabled=False):
        embedding, prototypes = at_least_float32(embedding, prototypes)
        unit = F.normalize(embedding)
        # What has no direction gets no gradient; the floor that normalize puts under the norm would make it 1e12 fold.
        unit = torch.where(lengths(embedding) > 1e-12, unit, unit.detach())
        return F.linear(unit, F.normalize(prototypes)).clamp(-1, 1)


def lengths(embedding: torch.Tensor) -> torch.Tensor:
    """The norms (B, 1) of embeddings (B, D)."""
    return torch.linalg.vector_norm(*at_least_float32(embedding), dim=1, keepdim=True)


def at_least_float32(*tensors: torch.Tensor) -> list[torch.Tensor]:
    """The tensors in the widest of their types, and in float32 where that is narrower."""
    dtype = functools.reduce(torch.promote_types, (tensor.dtype for tensor in tensors), torch.float32)
    return [tensor.to(dtype) for tensor in tensors]
