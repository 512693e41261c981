"""Things that fool a face detector: statues, posters, lamps, round signs, car fronts, leaves."""

from dataclasses import replace

import cv2
import numpy as np

from lrfr.sources.rendering.canvas import lay, shrink
from lrfr.sources.rendering.head import build
from lrfr.sources.rendering.identity import draw_identity
from lrfr.sources.rendering.look import Light, draw_look
from lrfr.sources.rendering.noise import fractal, outer, step
from lrfr.sources.rendering.render import Layer, render_head

_SIDE = 64  # px at which flat things are drawn, before they are shrunk to their size
_Flat = tuple[np.ndarray, np.ndarray]


def draw_clutter(canvas: np.ndarray, rng: np.random.Generator, light: Light) -> None:
    """Adds a few things to a picture (H, W, 3), linear light, in place."""
    height, width = canvas.shape[:2]
    brightness = float(light.sky.mean() + 0.5 * light.key.mean())
    for _ in range(int(rng.poisson(1.5))):
        thing = (_sign, _car, _leaves, _poster)[int(rng.integers(0, 4))]
        size = float(np.exp(rng.uniform(*np.log([13, 46]))))
        x, y = rng.uniform(0, width - size), rng.uniform(0.05, 0.7) * height
        rgb, alpha = thing(rng)
        layer = Layer(rgb * np.float32(brightness), alpha, 0.0, 0.0)
        lay(canvas, shrink(layer, size / _SIDE, x % 1, y % 1), x, y)
    if rng.random() < 0.22:
        _statue(canvas, rng, light)


def _statue(canvas: np.ndarray, rng: np.random.Generator, light: Light) -> None:
    """A bust of stone, or a shop's mannequin, on a pillar."""
    person = draw_identity(rng)
    look = replace(draw_look(rng, person, light, 0.0), glasses=None, headwear=None, mouth_open=0.0)
    head = build(person, 96, None, np.zeros(3, np.float32))
    stone = (rng.uniform(0.25, 0.6) * rng.uniform(0.85, 1.0, 3)).astype(np.float32)
    shade = (head.albedo.mean(axis=2) / head.albedo.mean()) ** 0.3  # old paint
    head = replace(head, albedo=outer(shade, stone), material=head.material * np.array([1, 0, 1], np.float32))
    scale = float(rng.uniform(5, 11))
    x, y = rng.uniform(0.05, 0.95) * canvas.shape[1], rng.uniform(0.15, 0.6) * canvas.shape[0]
    foot = (int(x + 0.7 * scale), canvas.shape[0])
    cv2.rectangle(canvas, (int(x - 0.7 * scale), int(y + scale)), foot, (0.5 * stone * light.sky).tolist(), -1)
    layer = render_head(head, look, 2 * scale)
    lay(canvas, shrink(layer, 0.5, x % 1, y % 1), x, y)


def _sign(rng: np.random.Generator) -> _Flat:
    """A lamp, a clock or a round sign with two marks."""
    rgb, alpha = _blank(rng.uniform(0.05, 1.0, 3))
    cv2.circle(alpha, (32, 32), 30, 1.0, -1, cv2.LINE_AA)
    for x in (21, 43):
        cv2.circle(rgb, (x, 25), int(rng.integers(3, 7)), rng.uniform(0.0, 0.2, 3).tolist(), -1, cv2.LINE_AA)
    cv2.line(rgb, (22, 46), (42, 46), rng.uniform(0.0, 0.3, 3).tolist(), int(rng.integers(1, 6)), cv2.LINE_AA)
    return rgb, alpha


def _car(rng: np.random.Generator) -> _Flat:
    """A car from the front: windscreen, two lamps and a grille."""
    colour = rng.uniform(0.02, 0.5, 3)
    rgb, alpha = _blank(colour)
    body = np.array([[14, 8], [50, 8], [58, 28], [62, 34], [62, 56], [2, 56], [2, 34], [6, 28]], np.int32)
    cv2.fillPoly(alpha, [body], 1.0, cv2.LINE_AA)
    windscreen = np.array([[17, 11], [47, 11], [53, 27], [11, 27]], np.int32)
    cv2.fillPoly(rgb, [windscreen], rng.uniform(0.03, 0.12, 3).tolist(), cv2.LINE_AA)
    for x in (12, 52):
        cv2.ellipse(rgb, (x, 38), (7, 4), 0, 0, 360, [0.85, 0.85, 0.75], -1, cv2.LINE_AA)
    cv2.rectangle(rgb, (22, 37), (42, 45), [0.02] * 3, -1)
    cv2.rectangle(rgb, (4, 52), (60, 56), [0.01] * 3, -1)
    return rgb, alpha


def _leaves(rng: np.random.Generator) -> _Flat:
    """A bush: dark holes between bright leaves."""
    grain = fractal(rng, (_SIDE, _SIDE), 9, 3, 0.9)
    axis = np.linspace(-1, 1, _SIDE)
    away = np.hypot(axis[:, None], axis[None]) + 0.25 * fractal(rng, (_SIDE, _SIDE), 6, 2)
    return outer(np.exp(1.0 * grain), np.array([0.05, 0.08, 0.025])), step(0.9, 0.75, away).astype(np.float32)


def _poster(rng: np.random.Generator) -> _Flat:
    """A poster with a drawn face."""
    rgb, alpha = _blank(rng.uniform(0.1, 0.8, 3))
    alpha[2:62, 8:56] = 1
    skin, dark = np.array([0.5, 0.34, 0.25]) * rng.uniform(0.4, 1.3), rng.uniform(0, 0.1, 3).tolist()
    cv2.ellipse(rgb, (32, 28), (18, 22), 0, 0, 360, dark, -1, cv2.LINE_AA)
    cv2.ellipse(rgb, (32, 33), (15, 20), 0, 0, 360, skin.tolist(), -1, cv2.LINE_AA)
    for x in (26, 38):
        cv2.ellipse(rgb, (x, 30), (4, 2), 0, 0, 360, dark, -1, cv2.LINE_AA)
        cv2.line(rgb, (x - 4, 25), (x + 4, 25), dark, 1, cv2.LINE_AA)
    cv2.line(rgb, (32, 31), (31, 38), (skin * 0.6).tolist(), 2, cv2.LINE_AA)
    cv2.ellipse(rgb, (32, 44), (6, 2), 0, 0, 360, [0.3, 0.06, 0.05], -1, cv2.LINE_AA)
    cv2.rectangle(rgb, (8, 56), (56, 60), rng.uniform(0, 0.8, 3).tolist(), -1)
    return rgb, alpha


def _blank(colour: np.ndarray) -> _Flat:
    return np.full((_SIDE, _SIDE, 3), colour, np.float32), np.zeros((_SIDE, _SIDE), np.float32)
