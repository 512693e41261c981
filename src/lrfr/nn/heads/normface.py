"""NormFace: a softmax over cosines (Wang et al., "NormFace: L2 Hypersphere Embedding for Face Verification", 2017)."""

from typing import Literal

import torch

from lrfr.nn.heads.head import CosineSettings, Head, cosines


class NormFaceSettings(CosineSettings):
    """The scale s."""

    name: Literal["NormFace"]


class NormFace(Head):
    """Cosine softmax without a margin: s * cos(theta_j).

    Args:
        embedding_dim: D.
        num_classes: C.
        scale: s.
    """

    def __init__(self, embedding_dim: int, num_classes: int, scale: float = 64.0) -> None:
        super().__init__(embedding_dim, num_classes)
        self.scale = scale

    def cosine(self, embedding: torch.Tensor) -> torch.Tensor:
        """Embeddings (B, D) to their cosines (B, C) with the head's own prototypes."""
        return cosines(embedding, self.weight)

    def forward(self, embedding: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Logits (B, C) of embeddings (B, D); ``labels`` (B,) int64 are not used."""
        return self.plain(embedding)

    def logits(self, embedding: torch.Tensor, prototypes: torch.Tensor) -> torch.Tensor:
        """s * cos(theta_j), (B, C)."""
        return self.scale * cosines(embedding, prototypes)
