"""The colours of skin: melanin and blood, blotches, freckles, moles, stubble and wrinkles."""

import cv2
import numpy as np

from lrfr.sources.rendering.identity import Identity
from lrfr.sources.rendering.noise import bump, fractal, smooth, step, times
from lrfr.sources.rendering.shape import Skull, symmetric, window

# Absorption (RGB) of full pigments: melanin, blood.
_ABSORPTION = np.array([[1.90, 2.35, 2.75], [0.10, 0.48, 0.45]], np.float32)
_PALE = np.array([0.72, 0.55, 0.45], np.float32)  # skin without either, linear light
_LIP = np.array([0.45, 0.10, 0.09], np.float32)


def colour(melanin: float, blood: float) -> np.ndarray:
    """The linear RGB colour (3,) of skin from its pigments (each 0..1 or a little more)."""
    return _PALE * np.exp(-np.array([melanin, blood], np.float32) @ _ABSORPTION)


def neck_colour(person: Identity) -> np.ndarray:
    """The plain colour (3,) of the skin of neck and hands."""
    return colour(person.melanin, 0.25 + 0.3 * person.redness)


def skin(person: Identity, base: Skull, rng: np.random.Generator) -> np.ndarray:
    """The albedo (size, size, 3), linear RGB, of the whole head without hair, brows, eyes and lips."""
    size = base.x.shape[0]
    blotches = fractal(rng, base.x.shape, 7, 4, 0.7)
    melanin = person.melanin + 0.025 * blotches
    blood = 0.25 + 0.3 * person.redness + 0.07 * blotches + (0.1 + 0.25 * person.redness) * step(0.95, 1.05, base.side)
    part = window(size)
    own = np.random.default_rng([person.texture_seed, 2])  # lighter, darker and redder places of one person
    melanin += 0.03 * symmetric(own, size, 10)
    blood += 0.12 * symmetric(own, size, 10)
    _face_pigments(person, base.face(), rng, melanin[part], blood[part])
    pigments = np.dstack([melanin, blood])
    matrix = np.hstack([-_ABSORPTION.T, np.log(_PALE)[:, None]])
    albedo = cv2.exp(cv2.transform(pigments, matrix))
    albedo[part] = times(albedo[part], _folds(person, base.face(), rng))
    return albedo


def _face_pigments(
    person: Identity, base: Skull, rng: np.random.Generator, melanin: np.ndarray, blood: np.ndarray
) -> None:
    """Adds what is peculiar to the face to both pigments, in place."""
    x, y, side = base.x, base.y, base.side
    eye_x, eye_y = person["eye_spacing"], person["eye_height"]
    tip = (0.0, eye_y + person["nose_length"] - 0.1)
    rosy = bump(side, y, (0.52, 0.45), (0.20, 0.20)) + 0.8 * bump(x, y, tip, (0.16, 0.14))
    sockets = bump(side, y, (eye_x - 0.02, eye_y + 0.02), (0.22, 0.13))
    blood += (0.10 + 0.25 * person.redness) * rosy + (0.15 + 0.2 * person.age) * sockets
    pores = smooth(rng, x.shape, (x.shape[0] // 2, x.shape[1] // 2))
    melanin += 0.02 * pores + 0.40 * sockets
    if person.freckles > 0.05:
        melanin += person.freckles * 0.15 * step(0.55, 1.1, fractal(rng, x.shape, 28, 2)) * base.front
    for mole_x, mole_y, size in person.moles:
        melanin += 0.9 * bump(x, y, (mole_x, mole_y), (size, size)) * base.front
    if person.stubble > 0.05:
        melanin += person.stubble * (0.16 + 0.06 * pores) * beard_region(person, base, 0.75)
    np.clip(melanin, 0.02, 1.6, out=melanin)


def _folds(person: Identity, base: Skull, rng: np.random.Generator) -> np.ndarray:
    """Dark lines: nostrils, the wings of the nose, wrinkles of forehead, eyes and cheeks; a factor 0..1."""
    x, y, side = base.x, base.y, base.side
    bottom = person["eye_height"] + person["nose_length"]
    wing = person["nose_width"]
    dark = 0.85 * bump(side, y, (0.48 * wing, bottom + 0.02), (0.30 * wing, 0.028))
    dark += 0.35 * bump(side, y, (wing + 0.035, bottom - 0.02), (0.022, 0.07))
    age = person.age
    lines = np.sin((y + 0.03 * fractal(rng, x.shape, 4, 2)) * np.float32(2 * np.pi / 0.15)) * 0.5 + 0.5
    dark += 0.22 * age * lines * lines * lines * bump(x, y, (0, -0.66), (0.42, 0.14))
    dark += (0.03 + 0.17 * age) * bump(side, y, (person["eye_spacing"] - 0.02, 0.21), (0.16, 0.03))
    return 1 - np.clip(dark * base.front, 0, 0.93)


def lip_colour(person: Identity) -> np.ndarray:
    """The linear RGB colour (3,) of this person's lips, paint included."""
    natural = colour(person.melanin * 0.9 + 0.12, 1.5 + 0.5 * person.redness)
    paint = max(0.0, person["lip_redness"] - 0.55) * 1.2
    return natural + (_LIP - natural) * min(paint, 0.8)


def beard_region(person: Identity, base: Skull, reach: float) -> np.ndarray:
    """Where a beard grows (0..1): jaw, chin and cheeks below a line that ``reach`` (0..1) lifts; lips left out."""
    x, y, side = base.x, base.y, base.side
    mouth = person["mouth_height"]
    line = mouth + 0.12 - reach * 0.35 * step(0.25, 0.8, side)
    jaw = step(-0.05, 0.10, y - line) * step(-0.15, 0.1, base.z)
    upper = bump(x, y, (0, mouth - 0.155), (0.25, 0.055))
    lips = bump(x, y, (0, mouth + 0.02), (person["mouth_width"] * 0.7, 0.09))
    return np.clip(jaw + 0.8 * upper, 0, 1) * (1 - np.clip(1.6 * lips, 0, 1))
