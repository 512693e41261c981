"""Laying layers over a picture in linear light."""

import cv2
import numpy as np

from lrfr.sources.rendering.noise import spread
from lrfr.sources.rendering.render import Layer


def lay(canvas: np.ndarray, layer: Layer, x: float, y: float) -> None:
    """Lays a layer over the canvas (H, W, 3), in place, its origin at (x, y); what sticks out is cut off."""
    left, top = round(layer.left + x), round(layer.top + y)
    rows = slice(max(0, top), min(canvas.shape[0], top + layer.alpha.shape[0]))
    columns = slice(max(0, left), min(canvas.shape[1], left + layer.alpha.shape[1]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    part = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
    under = canvas[rows, columns]
    under += (layer.rgb[part] - under) * spread(layer.alpha[part])


def shrink(layer: Layer, factor: float, x: float, y: float) -> Layer:
    """Shrinks a layer by ``factor`` (0..1) so that its origin lands at the exact, fractional place (x, y)."""
    left, top = layer.left * factor + x, layer.top * factor + y
    height, width = layer.alpha.shape
    columns, rows = int(np.ceil(width * factor)) + 2, int(np.ceil(height * factor)) + 2
    over = max(1, int(np.ceil(1 / factor)))  # an area filter at a fractional offset: sample finely, then average
    start_x, start_y = np.floor(left), np.floor(top)
    step = 1 / (factor * over)
    move = np.array(
        [
            [step, 0, (0.5 / over - (left - start_x)) / factor - 0.5],
            [0, step, (0.5 / over - (top - start_y)) / factor - 0.5],
        ]
    )
    pixels = cv2.merge([*cv2.split(layer.rgb * spread(layer.alpha)), layer.alpha])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    fine = cv2.warpAffine(pixels, move, (columns * over, rows * over), flags=flags)
    small = cv2.resize(fine, (columns, rows), interpolation=cv2.INTER_AREA) if over > 1 else fine
    alpha = small[..., 3]
    rgb = small[..., :3] * spread(1 / np.maximum(alpha, 1e-4))
    return Layer(rgb, alpha, float(start_x - x), float(start_y - y))
