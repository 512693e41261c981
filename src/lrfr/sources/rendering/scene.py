"""A photo of several people at different distances."""

from dataclasses import dataclass, replace

import numpy as np

from lrfr.sources.rendering.backdrop import draw_backdrop
from lrfr.sources.rendering.body import draw_clothes
from lrfr.sources.rendering.camera import draw_camera, photograph
from lrfr.sources.rendering.clutter import draw_clutter
from lrfr.sources.rendering.identity import Identity
from lrfr.sources.rendering.look import Light, dimmed, draw_light, draw_look
from lrfr.sources.rendering.person import Figure, draw_figure, face_box, face_scale, head_box, head_of

WIDTH, HEIGHT = 480, 360
_LARGE = 0.11  # share of people too near for a low-resolution benchmark
_BEHIND = 0.11  # share of the people without a name who are seen from behind: no face
_SPOILT = (0.06, 0.015)  # shares of small and of larger faces that nobody could recognise
_HEAD_CHART = 112  # texels; a face of 32 px needs no more

Guest = tuple[str | None, Identity]  # a name, None for people nobody can name


@dataclass(frozen=True)
class Shot:
    """A finished photo: JPEG bytes, tags (identity, head box) and truth (identity, face box, recognizable)."""

    image: bytes
    tags: list[tuple[str, list[float]]]
    truth: list[tuple[str | None, list[float], bool]]


def shoot(guests: list[Guest], rng: np.random.Generator) -> Shot:
    """Draws and photographs a scene with these people."""
    horizon = float(rng.uniform(0.33, 0.53))
    canvas = draw_backdrop(rng, HEIGHT, WIDTH, horizon)
    light = draw_light(rng)
    draw_clutter(canvas, rng, light)
    tags, truth = [], []
    for name, figure, recognizable in _placed(guests, light, rng):
        large = figure.scale > 17
        draw_figure(canvas, figure, head_of(figure, 2 * _HEAD_CHART if large else _HEAD_CHART), _fineness(figure.scale))
        if abs(figure.look.yaw) > 2:
            continue
        box = face_box(figure.look, figure.scale, figure.x, figure.y)
        truth.append((name, box, recognizable))
        if name is not None:
            tags.append((name, head_box(figure.look, figure.scale, figure.x, figure.y, rng)))
    return Shot(photograph(canvas, draw_camera(rng, portrait=False), rng), tags, truth)


def _fineness(scale: float) -> float:
    """How many times finer a head is rendered than shown: enough that small ones do not alias."""
    return max(1.5, 18 / scale) if scale < 20 else 1.3


def _placed(guests: list[Guest], light: Light, rng: np.random.Generator) -> list[tuple[str | None, Figure, bool]]:
    """Finds a place for each guest where no nearer person hides the face; the farthest come first."""
    middle, slope = rng.uniform(115, 165), rng.uniform(1.5, 4.0)
    taken: list[tuple[str | None, Figure, bool]] = []
    heights = np.sort([_height(rng) for _ in guests])[::-1]
    for (name, person), height in zip(guests, heights, strict=True):
        look = draw_look(rng, person, dimmed(light, float(rng.uniform(0.8, 1.15))), 1.0)
        figure = Figure(person, look, draw_clothes(rng, person), 0.0, 0.0, face_scale(float(height)))
        figure, recognizable = _spoilt(figure, float(height), rng, name is None)
        for _ in range(40):
            x = rng.uniform(1.0 * height, WIDTH - 1.0 * height)
            y = float(np.clip(middle + slope * (height - 20) + rng.normal(0, 28), 0.9 * height, HEIGHT - 0.9 * height))
            candidate = replace(figure, x=float(x), y=y)
            if not any(_hides(other, candidate) for _, other, _ in taken):
                taken.append((name, candidate, recognizable))
                break
    return taken[::-1]


def _height(rng: np.random.Generator) -> float:
    """The height of a face's box, px."""
    if rng.random() < _LARGE:
        return float(np.exp(rng.uniform(*np.log([34, 70]))))
    height = rng.normal(20.0, 5.8)
    while not 6.5 <= height <= 32:
        height = rng.normal(20.0, 5.8)
    return float(height)


def _spoilt(figure: Figure, height: float, rng: np.random.Generator, unnamed: bool) -> tuple[Figure, bool]:
    """Turns some people away and makes some faces unrecognisable."""
    chance = rng.random()
    if unnamed and chance < _BEHIND:
        return replace(figure, look=figure.look.turned(float(rng.uniform(2.6, 3.6)))), False
    if chance > 1 - _SPOILT[height > 21]:
        kind = rng.choice(["motion", "profile", "dark"])
        if kind == "motion":
            return replace(figure, motion=height * float(rng.uniform(0.4, 0.7))), False
        if kind == "profile":
            return replace(figure, look=figure.look.turned(float(rng.choice([-1, 1]) * rng.uniform(1.2, 1.5)))), False
        return replace(figure, look=replace(figure.look, light=dimmed(figure.look.light, 0.06))), False
    return figure, height >= 9


def _hides(near: Figure, far: Figure) -> bool:
    """Whether a nearer person's head or body covers a part of a farther one's face, or heads collide."""
    left, top, width, height = face_box(far.look, far.scale, far.x, far.y)
    clear = 1.45 * near.scale
    beside = left + width < near.x - clear or left > near.x + clear
    above = top + height < near.y - 1.7 * near.scale
    shoulders = top + height < near.y + 2.3 * near.scale or left + width < near.x - 2.7 * near.scale
    return not (above or (beside and (shoulders or left > near.x + 2.7 * near.scale)))
