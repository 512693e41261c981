"""MV-Softmax (Wang et al., "Mis-classified Vector Guided Softmax Loss for Face Recognition", AAAI 2020)."""

from typing import Literal

import torch
from pydantic import Field

from lrfr.nn.heads.angular_margin import with_angular_margin
from lrfr.nn.heads.arcface import ArcFace
from lrfr.nn.heads.head import CosineSettings


class MVSoftmaxSettings(CosineSettings):
    """The scale s, the margin m (radians), and the weight t of the classes that a face is mistaken for."""

    name: Literal["MVSoftmax"]
    margin: float = Field(0.5, ge=0, lt=1.5)
    t: float = Field(1.2, ge=1, le=100)


class MVSoftmax(ArcFace):
    """ArcFace that weighs up the classes a face is mistaken for: those with cos(theta_k) > cos(theta_y + m).

    Their term is multiplied by exp(s (t - 1) (cos(theta_k) + 1)), the adaptive variant, so that their logit is
    s (t cos(theta_k) + t - 1). At t = 1 it is ArcFace. The paper's own t is this one less 1 (0.2); t counts from 1 as
    in its first version (SV-Softmax, 2018). The published code leaves the margin out where theta_y exceeds pi / 2
    ("easy margin"); the paper does not, nor does this. Past pi the margin goes on as ArcFace's.

    Args:
        embedding_dim: D.
        num_classes: C.
        scale: s.
        margin: m, radians.
        t: the weight of the classes that a face is mistaken for, at least 1.
    """

    def __init__(
        self,
        embedding_dim: int,
        num_classes: int,
        scale: float = 64.0,
        margin: float = 0.5,
        t: float = 1.2,
    ) -> None:
        super().__init__(embedding_dim, num_classes, scale, margin)
        self.t = t

    def forward(self, embedding: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Logits (B, C) of embeddings (B, D) with the margin applied at ``labels`` (B,) int64."""
        cosine = self.cosine(embedding)
        shifted = with_angular_margin(cosine.gather(1, labels[:, None]), self.margin)
        weighed = self.t * cosine + self.t - 1
        others = torch.where(cosine > shifted, weighed, cosine)
        return self.scale * others.scatter(1, labels[:, None], shifted)
