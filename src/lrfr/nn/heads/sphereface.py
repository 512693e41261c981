"""SphereFace: A-Softmax (Liu et al., "SphereFace: Deep Hypersphere Embedding for Face Recognition", CVPR 2017)."""

import math
from typing import Literal

import torch
from pydantic import Field

from lrfr.config import Weight
from lrfr.nn.heads.head import Head, SampledSettings, cosines, lengths


class SphereFaceSettings(SampledSettings):
    """The multiplicative margin m, and how lambda falls: from ``lambda_start`` to ``lambda_end``."""

    name: Literal["SphereFace"]
    margin: int = Field(4, ge=1, le=8)
    lambda_start: Weight = 1000
    lambda_decay: Weight = 0.12
    lambda_end: Weight = 5


class SphereFace(Head):
    """Multiplicative angular margin: ||x|| (lambda cos(theta_y) + psi(theta_y)) / (1 + lambda) at the label.

    The paper's eq 7 has psi alone, which hardly converges from the start, so that the published training mixes it with
    the cosine by a lambda that falls: max(end, start / (1 + decay * n)) at the nth update, with 1000, 0.12 and 5. n is
    a buffer, counted by the head: one call in training mode is one update. There is no fixed scale: the norm of the
    embedding is it.

    Args:
        embedding_dim: D.
        num_classes: C.
        margin: m, an integer.
        lambda_start: lambda before the first update.
        lambda_decay: how fast it falls.
        lambda_end: where it stops.
    """

    updates: torch.Tensor

    def __init__(
        self,
        embedding_dim: int,
        num_classes: int,
        margin: int = 4,
        lambda_start: float = 1000.0,
        lambda_decay: float = 0.12,
        lambda_end: float = 5.0,
    ) -> None:
        super().__init__(embedding_dim, num_classes)
        self.margin = margin
        self.lambda_start, self.lambda_decay, self.lambda_end = lambda_start, lambda_decay, lambda_end
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))

    def annealing(self) -> torch.Tensor:
        """Lambda, a scalar, at the updates counted so far."""
        return (self.lambda_start / (1 + self.lambda_decay * self.updates)).clamp_min(self.lambda_end)

    def forward(self, embedding: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Logits (B, C) of embeddings (B, D) with the margin applied at ``labels`` (B,) int64."""
        if self.training:
            self.updates.add_(1)
        cosine = cosines(embedding, self.weight)
        target = cosine.gather(1, labels[:, None])
        share = 1 / (1 + self.annealing())
        shifted = target + share * (psi(target, self.margin) - target)
        return lengths(embedding) * cosine.scatter(1, labels[:, None], shifted)

    def logits(self, embedding: torch.Tensor, prototypes: torch.Tensor) -> torch.Tensor:
        """||x|| cos(theta_j), (B, C)."""
        return lengths(embedding) * cosines(embedding, prototypes)


def psi(cosine: torch.Tensor, margin: int) -> torch.Tensor:
    """eq 7: (-1)^k cos(m theta) - 2k, theta in [k pi / m, (k + 1) pi / m], of cos(theta) of any shape.

    cos(m theta) is the Chebyshev polynomial T_m of the cosine: unlike the arc cosine it has a gradient at +-1.
    """
    before, multiple = torch.ones_like(cosine), cosine
    for _ in range(margin - 1):
        before, multiple = multiple, 2 * cosine * multiple - before
    bounds = [math.cos(number * math.pi / margin) for number in range(1, margin)]
    k = sum(((cosine < bound).to(cosine.dtype) for bound in bounds), torch.zeros_like(cosine))
    return (1 - 2 * (k % 2)) * multiple - 2 * k
