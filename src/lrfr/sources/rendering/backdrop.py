"""Backgrounds: rooms, streets, parks and plain walls, in linear light."""

import cv2
import numpy as np

from lrfr.sources.rendering.noise import fractal, mix, outer, step

_LEAVES = np.array([0.05, 0.09, 0.03], np.float32)


def draw_backdrop(rng: np.random.Generator, height: int, width: int, horizon: float) -> np.ndarray:
    """A background (height, width, 3), float32; ``horizon`` (0..1 of the height) is where the ground begins."""
    full, height, width = (width, height), height // 2, width // 2  # it is out of focus: half the pixels do
    kind = rng.choice(["wall", "street", "park", "room"])
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None] * np.ones((1, width), np.float32)
    texture = fractal(rng, (height, width), 5, 5, 0.6)
    above, below = _colours(rng, str(kind))
    picture = outer(np.exp(0.18 * texture * (kind != "wall")) * (0.75 + 0.35 * (horizon - y)), above)
    if kind == "park":
        leaves = outer(np.exp(0.9 * fractal(rng, (height, width), 28, 3, 0.8)), _LEAVES)
        crown = step(-0.1, 0.15, y - 0.25 * horizon + 0.12 * fractal(rng, (height, width), 4, 2))
        picture = mix(picture, leaves, crown)
    if kind in ("street", "room"):
        _blocks(picture, rng, horizon)
    ground = outer(np.exp(0.25 * fractal(rng, (height, width), 40, 3, 0.7)) * (0.6 + 0.5 * y), below)
    picture = mix(picture, ground, step(horizon - 0.01, horizon + 0.01, y))
    picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.3, 1.2)))
    return cv2.resize(picture, full, interpolation=cv2.INTER_CUBIC)


def _colours(rng: np.random.Generator, kind: str) -> tuple[np.ndarray, np.ndarray]:
    grey = rng.uniform(0.08, 0.5)
    tint = rng.uniform(0.75, 1.2, 3)
    above = {"park": np.array([0.45, 0.55, 0.70])}.get(kind, grey * tint)
    below = {"park": np.array([0.10, 0.14, 0.05])}.get(kind, rng.uniform(0.05, 0.3) * rng.uniform(0.85, 1.1, 3))
    return above.astype(np.float32), below.astype(np.float32)


def _blocks(picture: np.ndarray, rng: np.random.Generator, horizon: float) -> None:
    """Houses with windows, or doors, shelves and pictures: rectangles."""
    height, width = picture.shape[:2]
    for _ in range(int(rng.integers(4, 10))):
        x, w = rng.uniform(-0.1, 0.95) * width, rng.uniform(0.06, 0.3) * width
        top, bottom = rng.uniform(-0.1, 0.6) * horizon * height, horizon * height * rng.uniform(0.7, 1.0)
        colour = rng.uniform(0.04, 0.6) * rng.uniform(0.7, 1.2, 3)
        cv2.rectangle(picture, (int(x), int(top)), (int(x + w), int(bottom)), colour.tolist(), -1)
        rows, columns = int(rng.integers(0, 5)), int(rng.integers(1, 5))
        for row in range(rows):
            for column in range(columns):
                left, up = x + (column + 0.25) * w / columns, top + (row + 0.25) * (bottom - top) / rows
                end = (int(left + 0.5 * w / columns), int(up + 0.5 * (bottom - top) / rows))
                cv2.rectangle(picture, (int(left), int(up)), end, (colour * rng.uniform(0.2, 1.6)).tolist(), -1)
