"""A head ready to be rendered: the charts of its surface and colour, built once for a person."""

from dataclasses import dataclass

import cv2
import numpy as np

from lrfr.sources.rendering import features
from lrfr.sources.rendering.hair import Cover, facial_hair, headwear, scalp_hair
from lrfr.sources.rendering.identity import Identity
from lrfr.sources.rendering.look import Look
from lrfr.sources.rendering.noise import mix, smooth, step
from lrfr.sources.rendering.shape import Skull, directions, relief, skull, window
from lrfr.sources.rendering.skin import skin


@dataclass(frozen=True)
class Head:
    """Charts (size, size, ...), float32, of a head's surface."""

    person: Identity
    x: np.ndarray  # across the face's window, head units
    y: np.ndarray  # down the face's window
    straight: tuple[np.ndarray, np.ndarray]  # the same two as a ruler has them: x and y are warped
    radius: np.ndarray
    normals: np.ndarray  # (size, size, 3), unit length, outwards
    albedo: np.ndarray  # (size, size, 3), linear RGB, without eyes, brows and mouth
    material: np.ndarray  # (size, size, 3): open to the sky (0..1), skin rather than hair or cloth (0..1), gloss
    cover: np.ndarray  # what hides the features in the face's window (0..1)


def build(person: Identity, size: int, worn: str | None, worn_colour: np.ndarray) -> Head:
    """Builds the charts, ``size`` x ``size`` texels, of a person with or without headwear."""
    rng = np.random.default_rng(person.texture_seed)
    base = skull(person, size)
    radius, albedo = relief(person, base), skin(person, base, rng)
    hidden = np.zeros_like(radius)
    beard = facial_hair(person, base, rng)
    if beard is not None:
        part = window(size)
        radius[part] += beard.thickness
        albedo[part] = mix(albedo[part], beard.albedo, beard.weight)
        hidden[part] = beard.weight
    covers = [scalp_hair(person, base, rng)]
    if worn is not None:
        covers = [_pressed(covers[0], base, worn), headwear(base, worn, worn_colour, rng)]
    for cover in covers:
        radius = radius * (1 - cover.weight) + cover.thickness  # hair and cloth lie over ears and features
        albedo = mix(albedo, cover.albedo, cover.weight)
        hidden = np.maximum(hidden, cover.weight)
    radius = (radius + base.radius).astype(np.float32)
    gloss = (1 - hidden) * (0.08 + 0.05 * step(0.5, 0.0, base.side)) + hidden * 0.03
    material = cv2.merge([_openness(radius), (1 - hidden).astype(np.float32), gloss.astype(np.float32)])
    rays, face = directions(size)[window(size)], base.face()
    return Head(
        person,
        face.x,
        face.y,
        (rays[..., 0] * face.radius, rays[..., 1] * face.radius),
        radius,
        _normals(radius),
        albedo.astype(np.float32),
        material,
        hidden[window(size)].copy(),
    )


def _pressed(hair: Cover, base: Skull, worn: str) -> Cover:
    """Hair under headwear: flat above the brow, hidden altogether under a scarf."""
    below = step(-0.75, -0.45, base.y) if worn != "scarf" else np.zeros_like(base.y)
    return Cover(hair.thickness * below, hair.weight * below, hair.albedo)


def _normals(radius: np.ndarray) -> np.ndarray:
    points = [cv2.multiply(axis, radius) for axis in cv2.split(directions(radius.shape[0]))]
    ax, ay, az = (cv2.Sobel(axis, -1, 1, 0, ksize=3) for axis in points)
    bx, by, bz = (cv2.Sobel(axis, -1, 0, 1, ksize=3) for axis in points)
    x, y, z = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    length = 1 / cv2.sqrt(x * x + y * y + z * z + np.float32(1e-12))
    return cv2.merge([x * length, y * length, z * length])


def _openness(radius: np.ndarray) -> np.ndarray:
    """A crude ambient occlusion: hollows are darker."""
    size = radius.shape[0]
    near = cv2.GaussianBlur(radius, (0, 0), size / 70) - radius
    coarse = cv2.resize(radius, (size // 4, size // 4), interpolation=cv2.INTER_AREA)
    wide = cv2.resize(cv2.GaussianBlur(coarse, (0, 0), size / 88), (size, size)) - radius
    return cv2.exp(-15 * np.maximum(near, 0) - 10 * np.maximum(wide, 0))


def painted(head: Head, look: Look) -> np.ndarray:
    """The albedo chart (size, size, 3) with eyes, brows and mouth of this look, and glasses."""
    person, albedo = head.person, head.albedo.copy()
    part = window(albedo.shape[0])
    x, y = head.x, head.y
    grain = smooth(np.random.default_rng(person.texture_seed + 1), x.shape, (x.shape[0] // 3, x.shape[1] // 2))
    skin_part = albedo[part]
    drawn = features.paint(skin_part, x, y, person, look, grain)
    drawn = mix(drawn, skin_part, head.cover)
    if look.glasses is not None:
        frame, lens, grey = features.glasses(*head.straight, person, look.glasses, look.tinted)
        drawn = mix(drawn, np.array([0.02, 0.02, 0.022], np.float32), lens * (0.9 if look.tinted else 0.4))
        drawn = mix(drawn, np.array([grey] * 3, np.float32), frame)
    albedo[part] = drawn
    return albedo
