"""Smooth random fields and soft steps: what every texture of the renderer is made of."""

import cv2
import numpy as np


def smooth(rng: np.random.Generator, shape: tuple[int, int], cells: tuple[int, int]) -> np.ndarray:
    """One octave of noise of ``shape`` (H, W), float32, about standard normal, ``cells`` (rows, columns) bumps."""
    grid = rng.standard_normal((cells[0] + 3, cells[1] + 3), dtype=np.float32)
    return cv2.resize(grid, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)


def fractal(
    rng: np.random.Generator, shape: tuple[int, int], cells: int, octaves: int, gain: float = 0.5
) -> np.ndarray:
    """Noise of ``shape`` (H, W), float32, standard deviation about 0.5; each octave is twice as fine as the last."""
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        count = cells << octave
        rows = max(1, round(count * shape[0] / max(shape)))
        columns = max(1, round(count * shape[1] / max(shape)))
        total += np.float32(0.6 * gain**octave) * smooth(rng, shape, (rows, columns))
    return total


def step(low: float, high: float, values: np.ndarray) -> np.ndarray:
    """Smoothstep: 0 below ``low``, 1 above ``high`` (or the reverse when ``low`` > ``high``)."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def bell(squared: np.ndarray) -> np.ndarray:
    """exp(-squared / 2); cut off far out, where denormal numbers would make everything slow."""
    return cv2.exp(np.maximum(squared * np.float32(-0.5), np.float32(-20)))


def bump(x: np.ndarray, y: np.ndarray, centre: tuple[float, float], size: tuple[float, float]) -> np.ndarray:
    """A Gaussian hill of height 1 at ``centre``, standard deviations ``size``."""
    across, down = (x - centre[0]) * np.float32(1 / size[0]), (y - centre[1]) * np.float32(1 / size[1])
    return bell(across * across + down * down)


def ridge(x: np.ndarray, centre: np.ndarray | float, size: float) -> np.ndarray:
    """A Gaussian in one coordinate only."""
    across = (x - centre) * np.float32(1 / size)
    return bell(across * across)


def spread(weight: np.ndarray) -> np.ndarray:
    """``weight`` (H, W) in three equal channels, float32: far faster than NumPy's broadcasting."""
    return cv2.cvtColor(np.ascontiguousarray(weight, np.float32), cv2.COLOR_GRAY2RGB)


def outer(weight: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """``weight`` (H, W) times a colour (3,): (H, W, 3)."""
    return cv2.transform(spread(weight), np.diag(np.asarray(colour, np.float32)))


def times(image: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """An (H, W, 3) image times ``weight`` (H, W)."""
    return image * spread(weight)


def mix(base: np.ndarray, colour: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Blends an (H, W, 3) image towards a colour (3,) or another image by ``weight`` (H, W), 0..1."""
    thrice = spread(weight)
    over = cv2.transform(thrice, np.diag(colour)) if np.ndim(colour) == 1 else colour * thrice
    return base - base * thrice + over
