"""CosFace (Wang et al., "CosFace: Large Margin Cosine Loss for Deep Face Recognition", CVPR 2018)."""

from typing import Literal

import torch
from pydantic import Field

from lrfr.nn.heads.head import CosineSettings
from lrfr.nn.heads.normface import NormFace


class CosFaceSettings(CosineSettings):
    """The scale s and the margin m, a difference of cosines."""

    name: Literal["CosFace"]
    margin: float = Field(0.35, ge=0, lt=1)


class CosFace(NormFace):
    """Additive cosine margin: s * (cos(theta_y) - m) at the label (eq 4)."""

    def __init__(self, embedding_dim: int, num_classes: int, scale: float = 64.0, margin: float = 0.35) -> None:
        super().__init__(embedding_dim, num_classes, scale)
        self.margin = margin

    def forward(self, embedding: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Logits (B, C) of embeddings (B, D) with the margin applied at ``labels`` (B,) int64."""
        cosine = self.cosine(embedding)
        target = cosine.gather(1, labels[:, None])
        return self.scale * cosine.scatter(1, labels[:, None], target - self.margin)
