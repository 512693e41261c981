"""How far super-resolved faces are from the HR ones."""

import torch


def sr_loss(super_resolved: torch.Tensor, hr: torch.Tensor) -> torch.Tensor:
    """The squared L2 distance of each face, summed over channels and pixels, as its mean over the batch
    (Cheng, Zhu & Gong, CSRI, ACCV 2018, equation 1); in float32 whatever the precision of the training.

    The sum is what gives the paper's weight of 0.003 its meaning: it grows with the number of pixels.

    Args:
        super_resolved: (B, 3, H, W), values about 0..1.
        hr: (B, 3, H, W), values 0..1.
    """
    return (super_resolved.float() - hr.float()).square().sum(dim=(1, 2, 3)).mean()
