"""Images at lower resolutions, as tensors."""

import torch
from torch.nn import functional as F


def at_resolution(images: torch.Tensor, resolution: int) -> torch.Tensor:
    """Images (B, C, H, W) shrunk so that their shortest side is ``resolution`` px, and back, bilinear
    (Massoli et al., T-C, 2020, section 5); as they are, where they are not larger."""
    height, width = images.shape[-2:]
    factor = resolution / min(height, width)
    if factor >= 1:
        return images
    size = (max(round(height * factor), 1), max(round(width * factor), 1))
    small = F.interpolate(images, size, mode="bilinear", antialias=True)
    return F.interpolate(small, (height, width), mode="bilinear")
