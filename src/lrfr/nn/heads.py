"""Margin softmax heads: embeddings and labels to scaled logits, to be fed to cross entropy."""

import math

import torch
from torch import nn
from torch.nn import functional as F


class NormFace(nn.Module):
    """Cosine softmax without a margin: s * cos(theta_j) (Wang et al., NormFace, 2017).

    Args:
        embedding_dim: D.
        num_classes: C.
        scale: s.
    """

    def __init__(self, embedding_dim: int, num_classes: int, scale: float = 64.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(num_classes, embedding_dim))
        nn.init.normal_(self.weight, std=0.01)
        self.scale = scale

    def cosine(self, embedding: torch.Tensor) -> torch.Tensor:
        """(B, D) to the cosines (B, C) with the prototypes, in float32 whatever the autocast."""
        with torch.autocast(embedding.device.type, enabled=False):
            return F.linear(F.normalize(embedding.float()), F.normalize(self.weight)).clamp(-1, 1)

    def forward(self, embedding: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Logits (B, C) of embeddings (B, D); ``labels`` (B,) int64 are not used."""
        return self.scale * self.cosine(embedding)


class ArcFace(NormFace):
    """Additive angular margin: s * cos(theta_y + m) at the label (Deng et al., ArcFace, 2019, eq 3).

    Where theta_y + m exceeds pi the cosine would rise again; there the published code's linear continuation
    cos(theta_y) - m sin(m) takes its place.
    """

    def __init__(self, embedding_dim: int, num_classes: int, scale: float = 64.0, margin: float = 0.5) -> None:
        super().__init__(embedding_dim, num_classes, scale)
        self.margin = margin

    def forward(self, embedding: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Logits (B, C) of embeddings (B, D) with the margin applied at ``labels`` (B,) int64."""
        cosine = self.cosine(embedding)
        target = cosine.gather(1, labels[:, None])
        # The floor keeps the gradient of the root finite at cos = +-1.
        sine = (1 - target.square()).clamp_min(1e-12).sqrt()
        shifted = target * math.cos(self.margin) - sine * math.sin(self.margin)
        past_pi = target < math.cos(math.pi - self.margin)
        shifted = torch.where(past_pi, target - self.margin * math.sin(self.margin), shifted)
        return self.scale * cosine.scatter(1, labels[:, None], shifted)
