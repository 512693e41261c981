"""Hair, beards and headwear: where they grow, how thick they lie and how they look."""

from dataclasses import dataclass

import cv2
import numpy as np

from lrfr.sources.rendering.identity import Identity
from lrfr.sources.rendering.noise import bump, fractal, outer, ridge, smooth, step
from lrfr.sources.rendering.shape import EDGE, Skull
from lrfr.sources.rendering.skin import beard_region

# style: thickness on top, thickness at the sides, how far down the sides reach, fringe on the forehead
_STYLES = {
    "bald": (0.0, 0.015, 0.10, 0.0),
    "cropped": (0.03, 0.02, 0.10, 0.0),
    "short": (0.10, 0.04, 0.15, 0.0),
    "quiff": (0.24, 0.04, 0.15, -0.03),
    "side": (0.17, 0.07, 0.20, 0.10),
    "fringe": (0.17, 0.17, 0.55, 0.42),
    "bob": (0.17, 0.30, 1.20, 0.08),
    "long": (0.15, 0.24, 1.45, 0.0),
    "tied": (0.06, 0.03, 0.20, -0.02),
    "curly": (0.28, 0.25, 0.85, 0.12),
    "afro": (0.42, 0.38, 0.50, 0.04),
}
LONG_STYLES = ("bob", "long", "curly")


@dataclass(frozen=True)
class Cover:
    """Something on the skin: its extra ``thickness`` and ``weight`` 0..1 (size, size), ``albedo`` (size, size, 3)."""

    thickness: np.ndarray
    weight: np.ndarray
    albedo: np.ndarray


def scalp_hair(person: Identity, base: Skull, rng: np.random.Generator) -> Cover:
    """The hair of the head."""
    top, sides, _, _ = _STYLES[person.hair_style]
    x, y = base.x, base.y
    weight = _hairy(person, base, 0.028 * fractal(rng, x.shape, 16, 2, 0.7))
    thickness = (sides + (top - sides) * step(-0.45, -1.0, y)) * person.hair_volume
    if person.hair_style in ("quiff", "side"):
        thickness *= 1 + 0.5 * np.sign(person.parting) * np.clip(x, -1, 1)
    curl = 0.06 if person.hair_style in ("curly", "afro") else 0.008
    thickness = thickness * (1 + 0.13 * smooth(rng, x.shape, (7, 7))) + curl * fractal(rng, x.shape, 22, 2)
    return Cover(np.maximum(thickness, 0.006) * _inside(weight), weight, _strands(person, base, rng))


def _inside(weight: np.ndarray) -> np.ndarray:
    """0 at the edge of a region and outside, growing to 1 well inside: hair lifts off the skin gradually."""
    size = weight.shape[0]
    coarse = cv2.resize(weight, (size // 4, size // 4), interpolation=cv2.INTER_AREA)
    wide = cv2.resize(cv2.GaussianBlur(coarse, (0, 0), size / 110), (size, size))
    return np.clip(2.2 * wide - 0.9, 0.04, 1) * weight


def _hairy(person: Identity, base: Skull, ragged: np.ndarray) -> np.ndarray:
    """Where the hair of the head grows, 0..1: behind the hairline and the temples, down to where the style reaches."""
    _, _, reach, fringe = _STYLES[person.hair_style]
    x, y, z, side = base.x, base.y, base.z, base.side
    cube = side * side * side
    line = 0.41 * cube - person.hairline + ragged
    if fringe > 0.05:
        line += fringe * (0.8 + 0.4 * ridge(x, person.parting, 0.3))
    if person.receding > 0:
        line -= person.receding * 0.55 * ridge(side, 0.42, 0.2)
    crown = step(0.05, -0.05, y - line) * step(1.05, 0.7, side * (y > -0.45))
    temple = 0.12 + 0.20 * step(-0.1, -0.6, y) - (0.16 if reach > 0.5 else 0.17) * step(-0.2, 0.5, y)
    lowest = y + ragged
    if reach < 0.5:  # short hair reaches lower at the nape than before the ears
        lowest += 0.3 * step(-0.2, -0.8, z)
    weight = np.maximum(crown, step(0.06, -0.06, z - temple + ragged) * step(reach + 0.08, reach - 0.08, lowest))
    # none under the chin
    weight *= np.maximum(step(0.50, 0.72, side), np.maximum(step(0.45, 0.25, y), step(-0.35, -0.6, z)))
    if person.hair_style == "bald":
        weight *= step(-0.55, -0.35, y + 0.25 * (z < 0))
    return weight


def facial_hair(person: Identity, base: Skull, rng: np.random.Generator) -> Cover | None:
    """Beard and moustache, None for people without; charts of the face's window only."""
    if person.moustache == 0 and person.beard == 0:
        return None
    base = base.face()
    mouth = person["mouth_height"]
    ragged = fractal(rng, base.x.shape, 34, 2, 0.8)
    beard = person.beard * step(0.3, 0.7, beard_region(person, base, 0.4 + 0.6 * person.beard) + 0.15 * ragged)
    lip = bump(base.x, base.y, (0, mouth - 0.15), (0.24, 0.05))
    lip += 0.7 * bump(base.side, base.y, (0.3, mouth), (0.06, 0.15))
    weight = np.maximum(beard, person.moustache * step(0.35, 0.75, lip + 0.12 * ragged)) * base.front
    albedo = outer(np.clip(1 + 0.5 * ragged, 0.3, 2), person.hair_colour)
    soft = cv2.GaussianBlur(weight.astype(np.float32), (0, 0), base.x.shape[0] / 40)
    return Cover(soft * (0.02 + 0.09 * person.beard), 0.92 * weight, albedo)


def _strands(person: Identity, base: Skull, rng: np.random.Generator) -> np.ndarray:
    """The albedo of locks that run from the crown outwards, or of curls."""
    size = base.x.shape[0]
    if person.hair_style in ("curly", "afro", "cropped"):
        grain = 0.55 * fractal(rng, base.x.shape, 26, 3, 0.8)
    else:
        axis = (np.arange(size, dtype=np.float32) / size * 2 - 1) * EDGE
        dx, dy = np.meshgrid(axis - np.float32(0.5 * person.parting), axis + np.float32(0.62))
        angle = cv2.phase(dx, dy) * np.float32(255 / (2 * np.pi))
        away = cv2.magnitude(dx, dy) * np.float32(14) + np.float32(0.25 * person.hair_curl) * angle
        locks = smooth(rng, (36, 256), (5, 190)) + 0.6 * smooth(rng, (36, 256), (5, 60))
        grain = 0.38 * cv2.remap(locks, angle, away, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    shine = bump(base.y, base.z, (-0.95, 0.5), (0.25, 0.6))
    return outer(cv2.exp(grain) * (1 + 0.35 * shine), person.hair_colour)


def headwear(base: Skull, kind: str, colour: np.ndarray, rng: np.random.Generator) -> Cover:
    """A cap (with a peak), a beanie or a headscarf; ``colour`` (3,) linear RGB."""
    x, y, z = base.x, base.y, base.z
    weave = np.exp(0.12 * fractal(rng, x.shape, 60, 2, 0.9))
    if kind == "scarf":
        face = np.sqrt((x / 0.80) ** 2 + ((y - 0.35) / 1.22) ** 2) + 2.0 * step(0.25, 0.0, z)
        weight = step(0.93, 1.0, face)
        return Cover(weight * (0.10 + 0.02 * smooth(rng, x.shape, (9, 9))), weight, outer(weave, colour))
    line = -0.72 + 0.28 * step(0.6, -0.5, z)
    weight = step(0.03, -0.03, y - line)
    thickness = weight * (0.10 + 0.015 * smooth(rng, x.shape, (8, 8)))
    if kind == "cap":
        peak = step(0.10, 0.02, np.abs(y - line + 0.02)) * step(0.3, 0.75, z) * step(0.75, 0.55, np.abs(x))
        thickness = np.maximum(thickness, 0.42 * peak)
        weight = np.maximum(weight, peak)
    else:
        rib = step(0.24, 0.20, np.abs(y - line + 0.12)) * weight
        thickness = thickness + 0.04 * rib
        weave = weave * (1 - 0.25 * rib * (np.sin(x * 60) > 0))
    return Cover(thickness, weight, outer(weave, colour))
