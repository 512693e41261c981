"""A head and a look become pixels: rays against the chart of distances, then shading in linear light."""

from dataclasses import dataclass

import cv2
import numpy as np

from lrfr.sources.rendering.head import Head, painted
from lrfr.sources.rendering.look import Light, Look
from lrfr.sources.rendering.shape import EDGE

_STEPS = 11  # along a ray; grazing rays need the most
_WRAP = np.array([0.38, 0.24, 0.18], np.float32)  # light that seeps through skin round the terminator, red the furthest


@dataclass(frozen=True)
class Layer:
    """Pixels to lay over others: ``rgb`` (h, w, 3) linear, not premultiplied, ``alpha`` (h, w), its left top corner."""

    rgb: np.ndarray
    alpha: np.ndarray
    left: float
    top: float


def rotation(look: Look) -> np.ndarray:
    """The matrix (3, 3) that turns a point of the head into view space."""
    (sy, sp, sr), (cy, cp, cr) = np.sin([look.yaw, look.pitch, look.roll]), np.cos([look.yaw, look.pitch, look.roll])
    yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    pitch = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return (roll @ pitch @ yaw).astype(np.float32)


def render_head(head: Head, look: Look, scale: float) -> Layer:
    """Renders a head; the centre of the head is the origin of the layer's corner.

    Args:
        head: its charts.
        look: pose, expression, light.
        scale: px per head unit.
    """
    turn = rotation(look)
    left, top, right, bottom = np.array([-1.75, -2.0, 1.75, 1.95]) * scale
    columns = np.arange(np.floor(left), np.ceil(right) + 1, dtype=np.float32)
    rows = np.arange(np.floor(top), np.ceil(bottom) + 1, dtype=np.float32)
    view_x, view_y = np.meshgrid((columns + 0.5) / scale, (rows + 0.5) / scale)
    depth, u, v, gap = _cast(head.radius, turn, view_x, view_y)
    alpha = np.clip(1 - gap * np.float32(scale), 0, 1)
    normals = cv2.remap(head.normals, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    albedo = cv2.remap(painted(head, look), u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    material = cv2.remap(head.material, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    lit = _unshadowed(depth, look.light, scale)
    return Layer(_shade(albedo, normals, material, lit, look.light, turn), alpha, float(columns[0]), float(rows[0]))


def _cast(radius: np.ndarray, turn: np.ndarray, view_x: np.ndarray, view_y: np.ndarray) -> tuple[np.ndarray, ...]:
    """Marches from the viewer: depth in view space, chart coordinates, and how far the ray stays off the surface."""
    size = radius.shape[0]
    to_x, to_y, to_z = (turn[0, i] * view_x + turn[1, i] * view_y for i in range(3))
    flat = view_x * view_x + view_y * view_y
    depth = np.sqrt(np.maximum(1.75**2 - flat, 0.0))
    closest, u, v = np.full_like(depth, 9.0), flat, flat
    half = np.float32(0.5 * size / EDGE)
    shift = np.float32(0.5 * size - 0.5)
    for _ in range(_STEPS):
        squared = flat + depth * depth
        distance = cv2.sqrt(squared)
        z = to_z + turn[2, 2] * depth
        factor = half / cv2.sqrt(np.maximum(2 * distance * (distance + z), np.float32(1e-6)))
        u = (to_x + turn[2, 0] * depth) * factor + shift
        v = (to_y + turn[2, 1] * depth) * factor + shift
        surface = cv2.remap(radius, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        gap = distance - surface
        closest = cv2.min(closest, gap)
        depth = depth - gap * np.float32(0.85)
    return depth, u, v, closest


def _unshadowed(depth: np.ndarray, light: Light, scale: float) -> np.ndarray:
    """1 where the key light reaches, 0 in the shadow that the head casts on itself; softened."""
    x, y, z = light.direction.tolist()
    shadow = np.zeros_like(depth)
    for reach in (0.07, 0.14, 0.24, 0.38, 0.55):
        across = reach / max(0.35, z)
        move = np.array([[1, 0, -x * across * scale], [0, 1, -y * across * scale]], np.float32)
        size = (depth.shape[1], depth.shape[0])
        towards = cv2.warpAffine(
            depth, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=-9
        )
        shadow = np.maximum(shadow, np.clip((towards - depth - reach * z / max(0.35, z)) * 9 - 0.25, 0, 1))
    return 1 - 0.85 * cv2.GaussianBlur(shadow, (0, 0), max(0.5, 0.03 * scale))


def _shade(
    albedo: np.ndarray, normals: np.ndarray, material: np.ndarray, lit: np.ndarray, light: Light, turn: np.ndarray
) -> np.ndarray:
    openness, is_skin, gloss = cv2.split(material)
    half = light.direction + np.array([0, 0, 1])
    axes = np.stack([light.direction, half / np.linalg.norm(half), [0, 1, 0]]).astype(np.float32) @ turn
    facing, towards_half, down = cv2.split(cv2.transform(normals, axes))
    shine = np.maximum(towards_half, 0)
    shine = shine * shine * shine  # cubed, then to the fourth: an exponent of 12
    shine = shine * shine
    shine = shine * shine * gloss * lit * np.float32(1.2)
    up = (0.5 - 0.5 * down) * openness
    ground = openness - up
    channels = []
    for i, colour in enumerate(cv2.split(albedo)):
        key, sky, earth = (np.float32(source[i]) for source in (light.key, light.sky, light.ground))
        wrap = is_skin * _WRAP[i] + np.float32(0.08)
        diffuse = np.clip((facing + wrap) / (1 + wrap), 0, 1)
        reach = lit + (1 - lit) * 0.3 * wrap
        channels.append(colour * (key * diffuse * reach + up * sky + ground * earth) + shine * key)
    return cv2.merge(channels)
