"""MagFace (Meng et al., "MagFace: A Universal Representation for Face Recognition and Quality Assessment", 2021)."""

from typing import Literal, Self

import torch
from pydantic import Field, model_validator

from lrfr.config import Positive, Weight
from lrfr.nn.heads.angular_margin import with_angular_margin
from lrfr.nn.heads.head import CosineSettings, lengths
from lrfr.nn.heads.normface import NormFace
from lrfr.nn.training.task import Terms


class MagFaceSettings(CosineSettings):
    """The scale s; the lowest and highest norm a, the margins (radians) at them; the regulariser's weight."""

    name: Literal["MagFace"]
    l_a: Positive = 10
    u_a: Positive = 110
    l_m: float = Field(0.45, ge=0, lt=1.5)
    u_m: float = Field(0.8, ge=0, lt=1.5)
    lambda_g: Weight = 35

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> Self:
        if self.l_a >= self.u_a or self.l_m > self.u_m:
            raise ValueError("l_a must be below u_a, and l_m not above u_m")
        return self


class MagFace(NormFace):
    """ArcFace with a margin that grows with the norm a of the embedding: s * cos(theta_y + m(a)) (eq 2 and 3).

    m(a) and g(a) are for norms in l_a..u_a; a norm outside counts as the bound, without a gradient, as in the published
    code. That code leaves the margin out where theta_y exceeds pi / 2 ("easy margin"); the paper does not, nor does
    this. Past pi the margin goes on as ArcFace's.

    Args:
        embedding_dim: D.
        num_classes: C.
        scale: s.
        l_a: the lowest norm.
        u_a: the highest norm.
        l_m: the margin at the lowest norm, radians.
        u_m: the margin at the highest norm, radians.
        lambda_g: the weight of the regulariser g.
    """

    def __init__(
        self,
        embedding_dim: int,
        num_classes: int,
        scale: float = 64.0,
        l_a: float = 10.0,
        u_a: float = 110.0,
        l_m: float = 0.45,
        u_m: float = 0.8,
        lambda_g: float = 35.0,
    ) -> None:
        super().__init__(embedding_dim, num_classes, scale)
        self.l_a, self.u_a = l_a, u_a
        self.l_m, self.u_m = l_m, u_m
        self.lambda_g = lambda_g

    def margin(self, norms: torch.Tensor) -> torch.Tensor:
        """m(a), radians: linear from l_m at l_a to u_m at u_a; of norms of any shape."""
        slope = (self.u_m - self.l_m) / (self.u_a - self.l_a)
        return slope * (norms - self.l_a) + self.l_m

    def regularizer(self, norms: torch.Tensor) -> torch.Tensor:
        """g(a) = 1 / a + a / u_a^2, smallest at u_a; of norms of any shape."""
        return 1 / norms + norms / self.u_a**2

    def forward(self, embedding: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Logits (B, C) of embeddings (B, D) with the margin applied at ``labels`` (B,) int64."""
        cosine = self.cosine(embedding)
        margin = self.margin(self._norms(embedding))
        shifted = with_angular_margin(cosine.gather(1, labels[:, None]), margin)
        return self.scale * cosine.scatter(1, labels[:, None], shifted)

    def losses(self, embedding: torch.Tensor, labels: torch.Tensor) -> Terms:
        """Cross entropy, and lambda_g times the mean of g(a)."""
        magnitude = self.lambda_g * self.regularizer(self._norms(embedding)).mean()
        return super().losses(embedding, labels) | {"magnitude": magnitude}

    def _norms(self, embedding: torch.Tensor) -> torch.Tensor:
        return lengths(embedding).clamp(self.l_a, self.u_a)
