"""Neck, shoulders, clothes and long hair below a head: flat shapes with the shading of round ones."""

from dataclasses import dataclass

import cv2
import numpy as np

from lrfr.sources.rendering.hair import LONG_STYLES
from lrfr.sources.rendering.identity import Identity
from lrfr.sources.rendering.look import Light, Look
from lrfr.sources.rendering.noise import fractal, outer, smooth, spread, times
from lrfr.sources.rendering.render import Layer, rotation
from lrfr.sources.rendering.skin import neck_colour

_NECK = np.array(
    [[-0.30, 0.70], [0.30, 0.70], [0.57, 1.20], [0.60, 1.55], [0.85, 2.05], [0, 2.6], [-0.85, 2.05], [-0.60, 1.55],
     [-0.57, 1.20]]
)  # fmt: skip
_TRUNK = np.array(  # the right half of a standing body, from the collar to the feet
    [[0.0, 2.30], [0.55, 2.02], [0.95, 1.95], [1.9, 2.18], [2.45, 2.55], [2.75, 3.3], [2.85, 5.0], [2.95, 7.2],
     [2.45, 7.4], [2.30, 5.4], [2.1, 5.0], [1.75, 7.0], [1.85, 9.0], [1.6, 13.0], [1.4, 17.2], [0.35, 17.2], [0.1, 9.8]]
)  # fmt: skip


@dataclass(frozen=True)
class Clothes:
    """What somebody wears: linear RGB colours (3,) of top and trousers, a pattern and a width."""

    top: np.ndarray
    trousers: np.ndarray
    pattern: str  # plain, striped, checked or printed
    collar: float  # how deep it is cut, head units
    girth: float
    seed: int


def draw_clothes(rng: np.random.Generator, person: Identity) -> Clothes:
    """Draws clothes; the build follows the person."""
    tint = rng.uniform(0.25, 1.0, 3) if rng.random() < 0.55 else rng.uniform(0.85, 1.0, 3)
    top = rng.uniform(0.1, 0.8) ** 2 * tint * rng.uniform(0.6, 1.2)
    return Clothes(
        top=top.astype(np.float32),
        trousers=(rng.uniform(0.01, 0.35) * rng.uniform(0.7, 1.2, 3)).astype(np.float32),
        pattern=str(rng.choice(["plain", "striped", "checked", "printed"], p=[0.6, 0.14, 0.12, 0.14])),
        collar=float(rng.uniform(-0.1, 0.7)),
        girth=float(
            np.clip(rng.normal(0.86 + 0.14 * person.masculinity + 2 * person["cheek_fullness"], 0.07), 0.7, 1.25)
        ),
        seed=int(rng.integers(0, 2**31)),
    )


def render_body(person: Identity, look: Look, clothes: Clothes, scale: float, height: float) -> Layer:
    """Renders everything below the head down to ``height`` head units under the eyes; ``scale`` is px per unit."""
    left, top = int(np.floor(-3.4 * scale)), int(np.floor(-1.6 * scale))
    size = (int(np.ceil(height * scale)) - top, -2 * left)
    rng = np.random.default_rng(clothes.seed)
    rgb, alpha = np.zeros((*size, 3), np.float32), np.zeros(size, np.float32)
    base = rotation(look) @ np.array([0, 1.5, -0.25], np.float32)  # the neck follows the head a little
    lean = np.array([base[0] * 0.7, 0.0])
    origin = np.array([left, top]) / scale
    if person.hair_style in LONG_STYLES and look.headwear != "scarf":
        _paint(rgb, alpha, _long_hair(person) + lean, origin, scale, _locks(person, size, rng), look.light)
    neck = _NECK * [0.84 + 0.22 * person.masculinity, 1.0] + lean * np.clip((2.6 - _NECK[:, 1:]) / 1.6, 0, 1)
    shade = np.asarray(0.28 + 0.72 * np.clip((np.arange(size[0]) / scale + origin[1] - 1.45) / 0.7, 0, 1) ** 1.5)
    _paint(rgb, alpha, neck, origin, scale, neck_colour(person) * shade[:, None, None], look.light)
    trunk = _TRUNK * [clothes.girth, 1.0]
    trunk[0, 1] += clothes.collar
    trunk = np.vstack([trunk, (trunk * [-1, 1])[::-1]])
    _paint(rgb, alpha, trunk, origin, scale, _cloth(clothes, size, origin[1], scale, rng), look.light)
    return Layer(rgb, alpha, float(left), float(top))


def _paint(
    rgb: np.ndarray,
    alpha: np.ndarray,
    outline: np.ndarray,
    origin: np.ndarray,
    scale: float,
    albedo: np.ndarray,
    light: Light,
) -> None:
    """Fills an outline (n, 2), head units, with an albedo that broadcasts to the picture, shaded like a round body."""
    points = np.round((outline - origin) * scale * 16).astype(np.int32)
    mask = np.zeros(alpha.shape, np.uint8)
    cv2.fillPoly(mask, [points], 255, lineType=cv2.LINE_AA, shift=4)
    mask = mask.astype(np.float32) / 255
    small = cv2.resize(mask, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    thick = cv2.GaussianBlur(small, (0, 0), max(0.5, 0.09 * scale))
    x, y, z = light.direction.astype(np.float32).tolist()
    facing = z - 0.9 * (x * cv2.Sobel(thick, -1, 1, 0) + y * cv2.Sobel(thick, -1, 0, 1))
    facing = cv2.resize(facing, mask.shape[::-1])
    lit = np.clip((facing + 0.2) / 1.2, 0.05, 1.1)
    ambient = 0.8 * light.sky + 0.2 * light.ground
    lamps = np.column_stack([np.diag(light.key), ambient]).astype(np.float32)
    colour = albedo.astype(np.float32) * cv2.transform(spread(lit.astype(np.float32)), lamps)
    rgb[:] = cv2.blendLinear(rgb, colour, 1 - mask, mask)
    np.maximum(alpha, mask, out=alpha)


def _long_hair(person: Identity) -> np.ndarray:
    """The outline of the hair behind neck and shoulders."""
    length = {"bob": 1.55, "curly": 1.75}.get(person.hair_style, 2.4 + 1.2 * person.hair_curl)
    wide = 0.95 + 0.14 * person.hair_volume
    around = np.linspace(0, np.pi, 13)
    crown = np.stack([-wide * np.cos(around), -0.1 - 0.8 * np.sin(around)], axis=1)
    ends = np.stack([wide * 1.06 * np.cos(around), length - 0.5 + 0.5 * np.sin(around)], axis=1)
    return np.vstack([crown, ends])


def _locks(person: Identity, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    locks = np.exp(0.35 * smooth(rng, size, (4, 26)) - 0.35)
    return outer(locks, person.hair_colour)


def _cloth(clothes: Clothes, size: tuple[int, int], top: float, scale: float, rng: np.random.Generator) -> np.ndarray:
    """The albedo of top and trousers (h, w, 3) with folds and a pattern."""
    y = (np.arange(size[0], dtype=np.float32)[:, None] / scale + top) * np.ones((1, size[1]), np.float32)
    x = (np.arange(size[1], dtype=np.float32)[None] - size[1] / 2) / scale
    folds = np.exp(0.22 * fractal(rng, size, 7, 3, 0.6))
    second = clothes.top[::-1] * rng.uniform(0.3, 1.6)
    period, phase = rng.uniform(4, 12), rng.uniform(0, 6)
    weight = np.zeros(size, np.float32)
    if clothes.pattern in ("striped", "checked"):
        weight = 0.8 * (np.sin(y * period + phase) > 0.3).astype(np.float32)
    if clothes.pattern == "checked":
        weight = 0.5 * weight + 0.5 * (np.sin(x * period) > 0.3)
    if clothes.pattern == "printed":
        weight = np.clip(fractal(rng, size, 12, 2) * 3, 0, 1)
    albedo = outer(1 - weight, clothes.top) + outer(weight, second)
    waist = max(0, int(np.ceil((7.3 - top) * scale)))
    albedo[waist:] = clothes.trousers
    return times(albedo, folds)
