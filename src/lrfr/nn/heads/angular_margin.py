"""Angles added to cosines."""

import math

import torch


def rotated(cosine: torch.Tensor, angle: float | torch.Tensor) -> torch.Tensor:
    """cos(theta + angle) of cos(theta), of any shape; radians, a number or of a shape that broadcasts."""
    along, across = _cos_sin(angle)
    # The floor keeps the gradient of the root finite at cos = +-1.
    sine = (1 - cosine.square()).clamp_min(1e-12).sqrt()
    return cosine * along - sine * across


def with_angular_margin(cosine: torch.Tensor, margin: float | torch.Tensor) -> torch.Tensor:
    """cos(theta + m) of cos(theta), for margins in 0..pi/2 radians (Deng et al., ArcFace, 2019, eq 3).

    Where theta + m exceeds pi the cosine would rise again; there the published code's linear continuation
    cos(theta) - m sin(m) takes its place.
    """
    along, across = _cos_sin(margin)
    return torch.where(cosine < -along, cosine - margin * across, rotated(cosine, margin))


def _cos_sin(angle: float | torch.Tensor) -> tuple[float, float] | tuple[torch.Tensor, torch.Tensor]:
    if isinstance(angle, torch.Tensor):
        return angle.cos(), angle.sin()
    return math.cos(angle), math.sin(angle)
