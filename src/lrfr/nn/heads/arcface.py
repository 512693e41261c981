"""ArcFace (Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019)."""

from typing import Literal

import torch
from pydantic import Field

from lrfr.nn.heads.angular_margin import with_angular_margin
from lrfr.nn.heads.head import CosineSettings
from lrfr.nn.heads.normface import NormFace


class ArcFaceSettings(CosineSettings):
    """The scale s and the margin m, radians."""

    name: Literal["ArcFace"]
    margin: float = Field(0.5, ge=0, lt=1.5)


class ArcFace(NormFace):
    """Additive angular margin: s * cos(theta_y + m) at the label (eq 3); past pi as :func:`with_angular_margin`.

    The gradient is that of the equation. insightface's arcface_torch adds the margin without a gradient
    (``torch.no_grad``), so that there the logit's gradient on the cosine is s whatever the angle; here it is
    s sin(theta_y + m) / sin(theta_y).
    """

    def __init__(self, embedding_dim: int, num_classes: int, scale: float = 64.0, margin: float = 0.5) -> None:
        super().__init__(embedding_dim, num_classes, scale)
        self.margin = margin

    def forward(self, embedding: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Logits (B, C) of embeddings (B, D) with the margin applied at ``labels`` (B,) int64."""
        cosine = self.cosine(embedding)
        shifted = with_angular_margin(cosine.gather(1, labels[:, None]), self.margin)
        return self.scale * cosine.scatter(1, labels[:, None], shifted)
