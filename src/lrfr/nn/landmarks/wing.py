"""The Wing loss."""

import math

import torch


def wing_loss(pred: torch.Tensor, target: torch.Tensor, w: float = 10, epsilon: float = 2) -> torch.Tensor:
    """w ln(1 + |x| / epsilon) where |x| < w, else |x| - C, with C = w - w ln(1 + w / epsilon) (Feng et al., eq 5).

    Small and middling errors count for more than under L1, which it is beyond w.

    Args:
        pred: predicted coordinates (B, K), px of the network's 64 px input.
        target: the true ones, of the same shape.
        w: where the logarithm ends, px.
        epsilon: how sharp it is at 0, px; the slope there is w / epsilon.

    Returns:
        The mean over the batch and the coordinates, a scalar. The paper adds up a face's coordinates instead.
    """
    error = (pred - target).abs()
    constant = w - w * math.log1p(w / epsilon)
    return torch.where(error < w, w * torch.log1p(error / epsilon), error - constant).mean()
