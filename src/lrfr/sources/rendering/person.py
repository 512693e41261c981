"""One person in a picture: head on body, and where the face is."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from lrfr.sources.rendering.body import Clothes, render_body
from lrfr.sources.rendering.camera import motion_kernel
from lrfr.sources.rendering.canvas import lay, shrink
from lrfr.sources.rendering.head import Head, build
from lrfr.sources.rendering.identity import Identity
from lrfr.sources.rendering.look import Look
from lrfr.sources.rendering.render import Layer, render_head, rotation

# The part of a head that a face detector frames, as an ellipsoid: from the hairline to the chin.
_FACE_CENTRE = np.array([0.0, 0.27, 0.35], np.float32)
_FACE_HALF = np.array([0.90, 1.20, 0.62], np.float32)
_HEAD_CENTRE = np.array([0.0, 0.05, -0.05], np.float32)
_HEAD_HALF = np.array([1.12, 1.50, 1.25], np.float32)


def face_scale(height: float) -> float:
    """The px per head unit at which a frontal face's box is ``height`` px tall."""
    return height / float(2 * _FACE_HALF[1])


def face_box(look: Look, scale: float, x: float, y: float) -> list[float]:
    """The tight box of a face (x, y, width, height), px, for a head whose centre stands at (x, y)."""
    return _box(_FACE_CENTRE, _FACE_HALF, look, scale, x, y)


def head_box(look: Look, scale: float, x: float, y: float, rng: np.random.Generator) -> list[float]:
    """A rough box of a head, as people draw them: (x, y, width, height), px."""
    left, top, width, height = _box(_HEAD_CENTRE, _HEAD_HALF, look, scale, x, y)
    shift = rng.normal(0, 0.04, 2) * [width, height]
    grow = np.exp(rng.normal(0.02, 0.06, 2))
    width, height = width * grow[0], height * grow[1]
    return [float(v) for v in (left + shift[0], top + shift[1], width, height)]


def _box(centre: np.ndarray, half: np.ndarray, look: Look, scale: float, x: float, y: float) -> list[float]:
    turn = rotation(look)[:2]
    middle = turn @ centre * scale + [x, y]
    reach = np.sqrt((turn**2) @ half**2) * scale
    return [float(v) for v in (*(middle - reach), *(2 * reach))]


@dataclass(frozen=True)
class Figure:
    """Somebody at a place in a picture: centre of the head (x, y), px, and px per head unit."""

    person: Identity
    look: Look
    clothes: Clothes
    x: float
    y: float
    scale: float
    motion: float = 0.0  # px, of the head alone


def draw_figure(canvas: np.ndarray, figure: Figure, head: Head, fineness: float) -> None:
    """Lays a person over a picture in linear light; the head is rendered ``fineness`` times as fine, then averaged."""
    below = min(17.5, (canvas.shape[0] - figure.y) / figure.scale + 1)
    body = render_body(figure.person, figure.look, figure.clothes, figure.scale, max(below, 3.0))
    lay(canvas, body, figure.x, figure.y)
    layer = render_head(head, figure.look, figure.scale * fineness)
    layer = shrink(layer, 1 / fineness, figure.x % 1, figure.y % 1)
    if figure.motion > 0.5:
        layer = _smeared(layer, figure.motion)
    lay(canvas, layer, np.floor(figure.x) + figure.x % 1, np.floor(figure.y) + figure.y % 1)


def _smeared(layer: Layer, length: float) -> Layer:
    pixels = np.dstack([layer.rgb * layer.alpha[..., None], layer.alpha])
    margin = int(np.ceil(length / 2)) + 1
    pixels = cv2.copyMakeBorder(pixels, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=[0, 0, 0, 0])
    pixels = cv2.filter2D(pixels, -1, motion_kernel(length, 0.3))
    alpha = pixels[..., 3]
    rgb = pixels[..., :3] / np.maximum(alpha, 1e-4)[..., None]
    return Layer(rgb, alpha, layer.left - margin, layer.top - margin)


def head_of(figure: Figure, size: int) -> Head:
    """Builds the head that a figure wears."""
    if figure.look.headwear is None:
        return _bare_head(figure.person, size)
    return build(figure.person, size, figure.look.headwear, figure.look.headwear_colour)


@lru_cache(maxsize=320)
def _bare_head(person: Identity, size: int) -> Head:
    return build(person, size, None, np.zeros(3, np.float32))
