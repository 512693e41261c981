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
    look = draw_look(rng, person, draw_light(rng), 1.0)
    scale = face_scale(float(rng.uniform(80, 108)))
    x, y = SIDE / 2 + rng.normal(0, 4, 2) - [0, 0.28 * scale]
    figure = Figure(person, look, draw_clothes(rng, person), float(x), float(y), scale)
    canvas = draw_backdrop(rng, SIDE, SIDE, float(rng.uniform(0.5, 1.2)))
    draw_figure(canvas, figure, head_of(figure, _HEAD_CHART), 1.0)
    image = photograph(canvas, draw_camera(rng, portrait=True), rng)
    return image, head_box(look, scale, figure.x, figure.y, rng)
