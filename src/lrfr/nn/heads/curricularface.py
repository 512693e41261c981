"""CurricularFace (Huang et al., "CurricularFace: Adaptive Curriculum Learning Loss for Deep Face Recognition",
CVPR 2020)."""

from typing import Literal

import torch
from pydantic import Field

from lrfr.nn.heads.angular_margin import with_angular_margin
from lrfr.nn.heads.arcface import ArcFace
from lrfr.nn.heads.head import CosineSettings
from lrfr.nn.heads.whole_batch import summed_over_processes


class CurricularFaceSettings(CosineSettings):
    """The scale s, the margin m (radians), and the share of each batch in the running mean t."""

    name: Literal["CurricularFace"]
    margin: float = Field(0.5, ge=0, lt=1.5)
    t_alpha: float = Field(0.01, gt=0, le=1)


class CurricularFace(ArcFace):
    """ArcFace whose hard classes, those with cos(theta_j) > cos(theta_y + m), count as cos(theta_j) (t + cos(theta_j)).

    t (eq 9) is a running mean of the batches' mean cos(theta_y), from 0; this batch's is in it before it is used, as in
    the published code. The paper gives its momentum as 0.99 in an equation that would weigh the newest batch so; the
    code weighs it by 0.01, and so does this. T(cos(theta_y)) past pi goes on as ArcFace's, in both of its places.

    Args:
        embedding_dim: D.
        num_classes: C.
        scale: s.
        margin: m, radians.
        t_alpha: the share of the newest batch in t.
    """

    t: torch.Tensor

    def __init__(
        self, embedding_dim: int, num_classes: int, scale: float = 64.0, margin: float = 0.5, t_alpha: float = 0.01
    ) -> None:
        super().__init__(embedding_dim, num_classes, scale, margin)
        self.t_alpha = t_alpha
        self.register_buffer("t", torch.zeros(()))

    def forward(self, embedding: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Logits (B, C) of embeddings (B, D) with the margin applied at ``labels`` (B,) int64."""
        cosine = self.cosine(embedding)
        target = cosine.gather(1, labels[:, None])
        if self.training:
            self._follow(target.detach())
        shifted = with_angular_margin(target, self.margin)
        others = torch.where(cosine > shifted, cosine * (self.t + cosine), cosine)
        return self.scale * others.scatter(1, labels[:, None], shifted)

    def _follow(self, target: torch.Tensor) -> None:
        total, count = summed_over_processes(torch.stack([target.sum(), torch.ones_like(target).sum()]))
        self.t.lerp_((total / count).to(self.t.dtype), self.t_alpha)
