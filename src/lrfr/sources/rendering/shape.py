"""The surface of a head: its distance from the centre in every direction.

A head is a star-shaped body. All directions are laid out flat by Lambert's equal-area azimuthal projection around the
direction of the nose: x to the viewer's right, y down, z towards the viewer of a frontal face.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from lrfr.sources.rendering.identity import Identity
from lrfr.sources.rendering.noise import bell, bump, ridge, smooth, step

_OVER_THE_EARS = ("fringe", "bob", "long", "curly", "afro")
_BROADER, _LOWER, _BULGE = 0.075, 0.045, 0.02  # standard deviations of what is one person's own, head units
_OWN = 6  # bumps from top to bottom of the chart, of which the face has half
EDGE = 1.02  # the chart reaches a little beyond the back of the head, so that no lookup falls off it


@lru_cache(maxsize=4)
def directions(size: int) -> np.ndarray:
    """Unit vectors (size, size, 3), float32, of the chart's texels."""
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 * EDGE - EDGE
    s, t = np.meshgrid(axis, axis)
    squared = np.minimum(s * s + t * t, 1.0)
    root = np.sqrt(1 - squared) * 2
    return np.dstack([s * root, t * root, 1 - 2 * squared]).astype(np.float32)


def window(size: int) -> tuple[slice, slice]:
    """The rows and columns of a chart in which the face lies."""
    return slice(int(0.28 * size), int(0.82 * size)), slice(int(0.24 * size), int(0.76 * size))


def symmetric(rng: np.random.Generator, size: int, cells: int) -> np.ndarray:
    """Smooth noise (size, size), float32, about standard normal, the same on the left and on the right."""
    half = smooth(rng, (size, (size + 1) // 2), (cells, max(1, cells // 2)))
    return np.hstack([half[:, ::-1], half])[:, :size]


@dataclass(frozen=True)
class Skull:
    """The smooth head without features, and where each texel of its chart lies; arrays are (size, size) float32."""

    radius: np.ndarray
    x: np.ndarray  # mirrored asymmetry included: features are painted in these coordinates
    y: np.ndarray
    z: np.ndarray
    front: np.ndarray  # 1 on the face, 0 on the back half

    def face(self) -> "Skull":
        """The part of the chart in which the face lies: most features need no other, and it is a quarter."""
        part = window(self.x.shape[0])
        return Skull(self.radius[part], self.x[part], self.y[part], self.z[part], self.front[part])

    @property
    def side(self) -> np.ndarray:
        """The distance from the plane of symmetry."""
        return np.abs(self.x)


def skull(person: Identity, size: int) -> Skull:
    """Two ellipsoids, cranium and jaw, joined smoothly; where features lie on it is a little different in everybody."""
    rays = directions(size)
    width = person["skull_width"]
    cranium = _ellipsoid(rays, (0.0, -0.38, -0.15), (width, person["skull_height"], person["skull_depth"]))
    jaw = _ellipsoid(rays, (0.0, 0.45, 0.22), (person["jaw_width"] * width, person["jaw_length"], 0.80))
    radius = 0.5 * (cranium + jaw + np.sqrt((cranium - jaw) ** 2 + 0.02))
    x, y, z = (rays[..., i] * radius for i in range(3))
    rng = np.random.default_rng([person.texture_seed, 0])
    x = x * (1 + _BROADER * symmetric(rng, size, _OWN)) - person["asymmetry"] * (y - 0.3)
    y = y + _LOWER * symmetric(rng, size, _OWN)
    return Skull(radius, x, y, z, step(0.05, 0.35, z))


def _ellipsoid(rays: np.ndarray, centre: tuple[float, ...], radii: tuple[float, ...]) -> np.ndarray:
    """The distance at which rays from the origin leave an ellipsoid around it."""
    scaled = rays / np.array(radii, np.float32)
    offset = (np.array(centre) / np.array(radii)).astype(np.float32)
    a = np.einsum("ijk,ijk->ij", scaled, scaled)
    b = scaled @ offset
    return (b + np.sqrt(b * b - a * np.float32(offset @ offset - 1))) / a


def relief(person: Identity, base: Skull) -> np.ndarray:
    """How far the features of a face stand out from the skull (size, size), head units, hair not included."""
    covered = person.hair_style in _OVER_THE_EARS
    total = np.zeros_like(base.x) if covered else _ears(person, base)
    part, rng = window(base.x.shape[0]), np.random.default_rng([person.texture_seed, 1])
    total[part] += _features(person, base.face())
    total[part] += _BULGE * symmetric(rng, len(base.x), _OWN)[part] * base.front[part]
    return total


def _features(person: Identity, base: Skull) -> np.ndarray:
    x, y, side = base.x, base.y, base.side
    eye_x, eye_y = person["eye_spacing"], person["eye_height"]
    mouth = person["mouth_height"]
    face = _nose(person, base)
    face -= person["eye_depth"] * bump(side, y, (eye_x - 0.03, eye_y - 0.02), (0.20, 0.13))
    face += 0.045 * bump(side, y, (eye_x, eye_y + 0.01), (0.13, 0.08))
    face += person["brow_ridge"] * bump(side, y, (0.30, eye_y - 0.24), (0.26, 0.07))
    face += person["cheekbones"] * bump(side, y, (0.60, 0.30), (0.18, 0.16))
    face += person["cheek_fullness"] * bump(side, y, (0.50, 0.75), (0.22, 0.25))
    face += 0.05 * bump(x, y, (0, mouth), (0.32, 0.22))
    face += 0.045 * bump(x, y, (0, mouth - 0.055), (0.20, 0.045))
    face -= 0.035 * bump(x, y, (0, mouth), (0.26, 0.020))
    face += 0.055 * bump(x, y, (0, mouth + 0.075), (0.17, 0.05))
    face -= 0.045 * bump(x, y, (0, mouth + 0.20), (0.22, 0.05))
    face += person["chin_forward"] * bump(x, y, (0, 1.34), (person["chin_width"], 0.13))
    face -= (0.02 + 0.02 * person.age) * _nasolabial(person, base)
    return face * base.front


def _nose(person: Identity, base: Skull) -> np.ndarray:
    x, y, side = base.x, base.y, base.side
    root, tip = person["eye_height"] - 0.10, person["eye_height"] + person["nose_length"] - 0.06
    along = (y - root) / (tip - root)
    bridge = person["nose_bridge"]
    profile = bridge * step(-0.35, 0.15, along) + (1 - bridge) * step(-0.1, 1.0, along) ** 1.2
    profile += person["nose_hump"] * ridge(along, 0.35, 0.15)
    under = x * np.float32(1 / person["nose_width"])
    profile *= step(tip + 0.16, tip - 0.03, y + 0.09 * under * under)
    half_width = person["nose_bridge_width"] + (0.3 * person["nose_width"]) * step(0.3, 1.0, along)
    nose = person["nose_projection"] * profile * bell(np.abs(x / half_width) ** np.float32(2.4))
    wing = person["nose_width"]
    wings = 0.17 * bump(side, y, (wing - 0.055, tip + 0.03), (0.060, 0.07))
    return cv2.max(nose.astype(np.float32), wings) + 0.35 * cv2.min(nose.astype(np.float32), wings)


def _nasolabial(person: Identity, base: Skull) -> np.ndarray:
    """The fold from the nose's wing to beside the mouth's corner: 1 in its depth."""
    top, bottom = person["eye_height"] + person["nose_length"] - 0.05, person["mouth_height"] + 0.10
    along = np.clip((base.y - top) / (bottom - top), 0, 1)
    line = person["nose_width"] + 0.05 + along * (person["mouth_width"] + 0.07 - person["nose_width"])
    inside = step(top - 0.05, top + 0.08, base.y) * step(bottom + 0.15, bottom - 0.05, base.y)
    return ridge(base.side, line, 0.035) * inside


def _ears(person: Identity, base: Skull) -> np.ndarray:
    y = base.y - (person["eye_height"] + 0.18)
    height = person["ear_size"]
    outline = step(1.0, 0.75, np.sqrt((y / height) ** 2 + ((base.z + 0.10 + 0.25 * y) / (0.55 * height)) ** 2))
    hollow = bump(y, base.z, (0.02, -0.08), (0.5 * height, 0.2 * height))
    return person["ear_flare"] * outline * (1 - 0.5 * hollow) * step(0.6, 0.75, base.side)
