"""AdaFace (Kim et al., "AdaFace: Quality Adaptive Margin for Face Recognition", CVPR 2022)."""

from typing import Literal

import torch
from pydantic import Field

from lrfr.nn.heads.angular_margin import rotated
from lrfr.nn.heads.head import CosineSettings, lengths
from lrfr.nn.heads.normface import NormFace
from lrfr.nn.heads.whole_batch import summed_over_processes

EPSILON = 1e-3  # beside the standard deviation, in the published code


class AdaFaceSettings(CosineSettings):
    """The scale s, the margin m, how much norms concentrate (h), and the share of each batch in their statistics."""

    name: Literal["AdaFace"]
    margin: float = Field(0.4, ge=0, lt=1)
    h: float = Field(0.333, gt=0, le=100)
    t_alpha: float = Field(0.01, gt=0, le=1)


class AdaFace(NormFace):
    """A margin that the norm of the embedding, as a proxy of the image's quality, turns (section 3.3).

    At the label s * (cos(theta_y + g_angle) - g_add), with g_angle = -m z, g_add = m z + m, and
    z = clip(h (||x|| - mean) / std, -1, 1): ArcFace for the worst images, CosFace for average ones. z has no gradient.

    As in the published code, where the paper says nothing: norms are clipped to 0.001..100, their running mean and
    standard deviation start at 20 and 100 and have this batch in them before they are used, and theta_y + g_angle is
    clipped to 0..pi. That code also clips cosines and angles by 0.001, which its arc cosine needs; ours has none. A
    batch of one face has no standard deviation, and leaves the running one as it is.

    Args:
        embedding_dim: D.
        num_classes: C.
        scale: s.
        margin: m.
        h: z reaches its bounds at 1 / h standard deviations.
        t_alpha: the share of the newest batch in the running statistics.
    """

    norm_mean: torch.Tensor
    norm_std: torch.Tensor

    def __init__(
        self,
        embedding_dim: int,
        num_classes: int,
        scale: float = 64.0,
        margin: float = 0.4,
        h: float = 0.333,
        t_alpha: float = 0.01,
    ) -> None:
        super().__init__(embedding_dim, num_classes, scale)
        self.margin, self.h, self.t_alpha = margin, h, t_alpha
        self.register_buffer("norm_mean", torch.tensor(20.0))
        self.register_buffer("norm_std", torch.tensor(100.0))

    def forward(self, embedding: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Logits (B, C) of embeddings (B, D) with the margin applied at ``labels`` (B,) int64."""
        cosine = self.cosine(embedding)
        norms = lengths(embedding.detach()).clamp(0.001, 100)
        if self.training:
            self._follow(norms.double())
        z = (self.h * (norms - self.norm_mean) / (self.norm_std + EPSILON)).clamp(-1, 1)
        shifted = _turned(cosine.gather(1, labels[:, None]), -self.margin * z) - self.margin * (1 + z)
        return self.scale * cosine.scatter(1, labels[:, None], shifted)

    def _follow(self, norms: torch.Tensor) -> None:
        total, count = summed_over_processes(torch.stack([norms.sum(), torch.ones_like(norms).sum()]))
        mean = total / count
        squares = summed_over_processes((norms - mean).square().sum())
        std = torch.where(count > 1, (squares / (count - 1).clamp_min(1)).sqrt(), self.norm_std)
        self.norm_mean.lerp_(mean.to(self.norm_mean.dtype), self.t_alpha)
        self.norm_std.lerp_(std.to(self.norm_std.dtype), self.t_alpha)


def _turned(cosine: torch.Tensor, angle: torch.Tensor) -> torch.Tensor:
    """cos(clip(theta + angle, 0, pi)) of cos(theta), for angles in -pi/2..pi/2 radians."""
    past_zero, past_pi = (angle < 0) & (cosine > angle.cos()), (angle > 0) & (cosine < -angle.cos())
    return torch.where(past_zero, 1.0, torch.where(past_pi, -1.0, rotated(cosine, angle)))
