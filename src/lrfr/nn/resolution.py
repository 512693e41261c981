"""Images at other sizes and at lower resolutions, as tensors."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch.nn import functional as F

from lrfr.errors import ParameterError

Interpolation = Literal["bilinear", "bicubic"]


def to_size(images: torch.Tensor, size: tuple[int, int], interpolation: Interpolation = "bilinear") -> torch.Tensor:
    """Images (B, C, H, W) to (B, C, height, width), antialiased: the one way in which faces are resized.

    Bicubic is Keys' kernel with a = -0.5, as Pillow's and MATLAB's. It overshoots at edges, so values 0..1 are cut off
    at 0 and 1.
    """
    if tuple(images.shape[-2:]) == size:
        return images
    resized = F.interpolate(images, size, mode=interpolation, antialias=True)
    return resized.clamp(0, 1) if interpolation == "bicubic" and images.is_floating_point() else resized


def at_resolution(
    images: torch.Tensor, resolution: int, down: Interpolation = "bilinear", up: Interpolation = "bilinear"
) -> torch.Tensor:
    """Images (B, C, H, W) shrunk so that their shortest side is ``resolution`` px, and back; as they are, where they
    are not larger. Both ways bilinear in Massoli et al., T-C, 2020, section 5."""
    height, width = images.shape[-2:]
    factor = resolution / min(height, width)
    if factor >= 1:
        return images
    small = to_size(images, (max(round(height * factor), 1), max(round(width * factor), 1)), down)
    if up == "bilinear":
        return F.interpolate(small, (height, width), mode="bilinear")
    return to_size(small, (height, width), up)


def check_sides(sides: Sequence[int], size: tuple[int, int], name: str) -> tuple[int, ...]:
    """``sides``, px, that images of ``size`` are made small to; ``name`` is the setting's.

    Raises:
        ParameterError: one of them would leave the images as they are.
    """
    if max(sides, default=0) >= min(size):
        what = f"'{name}' has {max(sides)} px, which makes no image of {size[0]} x {size[1]} px smaller"
        raise ParameterError(what, remedy="take smaller ones, or a backbone with a larger input_size")
    return tuple(sides)


def to_input(image: np.ndarray, size: tuple[int, int], interpolation: Interpolation = "bilinear") -> torch.Tensor:
    """An image (H, W, 3), uint8, as a network of that size takes it: (1, 3, height, width), values 0..1."""
    planes = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))[None]).float() / 255
    return to_size(planes, size, interpolation)
