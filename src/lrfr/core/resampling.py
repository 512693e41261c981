"""Shrinking without aliasing: a bicubic kernel that widens with the scale, as MATLAB's imresize and Pillow have it."""

from functools import lru_cache

import numpy as np


def bicubic(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resizes with Keys' cubic kernel (a = -0.5), stretched by the scale when shrinking so that nothing aliases.

    R. Keys, "Cubic convolution interpolation for digital image processing", IEEE Trans. ASSP 29(6), 1981.
    OpenCV's INTER_CUBIC reads four pixels whatever the scale, and aliases.

    Args:
        image: (H, W, C) uint8.
        height: new height, px, at least 1.
        width: new width, px, at least 1.

    Returns:
        (height, width, C) uint8.
    """
    rows, columns = _weights(image.shape[0], height), _weights(image.shape[1], width)
    shrunk = np.einsum("hy,yxc->hxc", rows, image.astype(np.float64), optimize=True)
    resized = np.einsum("wx,hxc->hwc", columns, shrunk, optimize=True)
    return np.clip(np.rint(resized), 0, 255).astype(np.uint8)


def bicubic_to_height(image: np.ndarray, height: int) -> np.ndarray:
    """Resizes (H, W, C) uint8 to ``height`` px, the width following so that the aspect is kept."""
    width = max(1, round(image.shape[1] * height / image.shape[0]))
    return bicubic(image, height, width)


@lru_cache(maxsize=4096)
def _weights(old: int, new: int) -> np.ndarray:
    """What each of ``new`` pixels takes from each of ``old`` pixels: (new, old), rows sum to 1."""
    scale = old / new
    stretch = max(1.0, scale)
    centres = (np.arange(new) + 0.5) * scale
    distance = np.abs(np.arange(old) + 0.5 - centres[:, None]) / stretch
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    weights = np.where(distance < 1, near, np.where(distance < 2, far, 0.0))
    return weights / weights.sum(axis=1, keepdims=True)
