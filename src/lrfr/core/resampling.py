"""Resizing as published protocols have it, and the views of an image that they compare.

Pillow's and MATLAB's kernels widen with the scale, so that nothing aliases; OpenCV's never do. Which one a paper used
changes its figures, so both are here.
"""

import re
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from lrfr.errors import unknown_name

Weights = Callable[[int, int], np.ndarray]

MIRROR = "mirror"
VIEWS = (MIRROR, "side_<px>", "width_<px>")


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
    return _resize(image, height, width, _cubic_weights)


def bilinear(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resizes (H, W, C) uint8 with the triangle kernel, stretched when shrinking, as Pillow's BILINEAR does."""
    return _resize(image, height, width, _triangle_weights)


def opencv_bicubic(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resizes (H, W, C) uint8 as OpenCV's INTER_CUBIC: a = -0.75, four pixels whatever the scale; it aliases."""
    return _resize(image, height, width, _four_tap_weights)


def to_input(image: np.ndarray, height: int, width: int, interpolation: str = "bilinear") -> np.ndarray:
    """An image as a network takes it, without torch: what :func:`lrfr.nn.resolution.to_input` gives, to rounding.

    Args:
        image: (H, W, 3) uint8.
        height: the network's, px.
        width: the network's, px.
        interpolation: ``bilinear`` or ``bicubic``, both antialiased; bicubic is cut off at 0 and 1.

    Returns:
        (3, height, width) float32, values 0..1.
    """
    planes = image.astype(np.float32) / 255
    if image.shape[:2] != (height, width):
        kernel = _cubic_weights if interpolation == "bicubic" else _triangle_weights
        planes = _resample(planes, height, width, kernel)
        planes = planes.clip(0, 1) if interpolation == "bicubic" else planes
    return np.ascontiguousarray(planes.transpose(2, 0, 1), np.float32)


def bicubic_to_height(image: np.ndarray, height: int) -> np.ndarray:
    """Resizes (H, W, C) uint8 to ``height`` px, the width following so that the aspect is kept."""
    width = max(1, round(image.shape[1] * height / image.shape[0]))
    return bicubic(image, height, width)


def view(image: np.ndarray, name: str) -> np.ndarray:
    """The version of an image that a protocol embeds beside the image itself.

    - ``mirror``: left and right swapped (the LFW family sums both embeddings).
    - ``side_<r>``: shrunk so that the shortest side is r px, and back to its size (the resolution sweep of Massoli,
      Amato & Falchi, 2020, section 4). The paper names Pillow's bilinear resize, which does not alias; nor does this.
      The longer side is cut off to whole pixels, not rounded, as their code does: 100 x 137 px at 8 are 8 x 10.
    - ``width_<w>``: shrunk to w px in width and left so (P1 and P2 of RIFR). The paper names OpenCV's bicubic
      interpolation, which aliases; so does this.

    Args:
        image: (H, W, C) uint8.
        name: one of these.

    Returns:
        (H, W, C) or, for ``width_<w>``, (h, w, C) uint8. An image that is no larger than asked for is unchanged.

    Raises:
        ParameterError: no such view.
    """
    found = re.fullmatch(r"mirror|(?P<kind>side|width)_(?P<px>[1-9]\d*)", name)
    if not found:
        raise unknown_name("view", name, VIEWS)
    if name == MIRROR:
        return np.ascontiguousarray(image[:, ::-1])
    px, (height, width) = int(found["px"]), image.shape[:2]
    shortest = width if found["kind"] == "width" else min(height, width)
    if px >= shortest:
        return image
    if found["kind"] == "width":
        return opencv_bicubic(image, max(round(height * (px / width)), 1), px)
    return bilinear(bilinear(image, height * px // shortest, width * px // shortest), height, width)


def _resize(image: np.ndarray, height: int, width: int, weights: Weights) -> np.ndarray:
    resized = _resample(image, height, width, weights)
    return np.clip(np.rint(resized), 0, 255).astype(np.uint8)


def _resample(image: np.ndarray, height: int, width: int, weights: Weights) -> np.ndarray:
    rows, columns = weights(image.shape[0], height), weights(image.shape[1], width)
    resized = np.einsum("hy,yxc->hxc", rows, image.astype(np.float64), optimize=True)
    return np.einsum("wx,hxc->hwc", columns, resized, optimize=True)


def _cubic(distance: np.ndarray, a: float) -> np.ndarray:
    """Keys' kernel at a distance >= 0, in px."""
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    return np.where(distance < 1, near, np.where(distance < 2, far, 0.0))


@lru_cache(maxsize=4096)
def _cubic_weights(old: int, new: int) -> np.ndarray:
    """What each of ``new`` pixels takes from each of ``old`` pixels: (new, old), rows sum to 1."""
    weights = _cubic(_stretched_distance(old, new), -0.5)
    return weights / weights.sum(axis=1, keepdims=True)


@lru_cache(maxsize=4096)
def _triangle_weights(old: int, new: int) -> np.ndarray:
    """The same for the triangle kernel."""
    weights = np.maximum(1 - _stretched_distance(old, new), 0)
    return weights / weights.sum(axis=1, keepdims=True)


def _stretched_distance(old: int, new: int) -> np.ndarray:
    """How far each old pixel is from each new one, (new, old), in old px, or in new ones when they are the larger."""
    scale = old / new
    centres = (np.arange(new) + 0.5) * scale
    return np.abs(np.arange(old) + 0.5 - centres[:, None]) / max(1.0, scale)


@lru_cache(maxsize=4096)
def _four_tap_weights(old: int, new: int) -> np.ndarray:
    """The same for OpenCV's cubic; what a pixel would take from beyond the edge it takes from the edge."""
    centres = (np.arange(new) + 0.5) * old / new - 0.5
    taps = np.floor(centres)[:, None] + np.arange(-1, 3)
    weights = np.zeros((new, old))
    pixels = np.clip(taps, 0, old - 1).astype(int)
    np.add.at(weights, (np.arange(new)[:, None], pixels), _cubic(np.abs(centres[:, None] - taps), -0.75))
    return weights
