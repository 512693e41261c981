"""A high-resolution portrait of one person."""

import numpy as np

from lrfr.sources.rendering.backdrop import draw_backdrop
from lrfr.sources.rendering.body import draw_clothes
from lrfr.sources.rendering.camera import draw_camera, photograph
from lrfr.sources.rendering.identity import Identity
from lrfr.sources.rendering.look import draw_light, draw_look
from lrfr.sources.rendering.person import Figure, draw_figure, face_scale, head_box, head_of

SIDE = 160
_HEAD_CHART = 256


def portray(person: Identity, rng: np.random.Generator) -> tuple[bytes, list[float]]:
    """Photographs somebody: JPEG bytes of SIDE x SIDE px, and a rough box of the head."""
    canvas, figure = pose(person, rng)
    image = photograph(canvas, draw_camera(rng, portrait=True), rng)
    return image, head_box(figure.look, figure.scale, figure.x, figure.y, rng)


def pose(person: Identity, rng: np.random.Generator, side: int = SIDE, away: bool = False) -> tuple[np.ndarray, Figure]:
    """Somebody before the camera, or with the back to it: the scene (side, side, 3), linear light, and the figure."""
    size = side / SIDE
    look = draw_look(rng, person, draw_light(rng), 1.0)
    look = look.turned(look.yaw + np.pi) if away else look
    scale = face_scale(float(rng.uniform(80 * size, 108 * size)))
    x, y = side / 2 + rng.normal(0, 4 * size, 2) - [0, 0.28 * scale]
    figure = Figure(person, look, draw_clothes(rng, person), float(x), float(y), scale)
    canvas = draw_backdrop(rng, side, side, float(rng.uniform(0.5, 1.2)))
    draw_figure(canvas, figure, head_of(figure, round(_HEAD_CHART * size)), 1.0)
    return canvas, figure
