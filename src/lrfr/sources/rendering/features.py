"""Eyes, brows, mouth and glasses, painted anew for each expression."""

import cv2
import numpy as np

from lrfr.sources.rendering.identity import Identity
from lrfr.sources.rendering.look import Look
from lrfr.sources.rendering.noise import bump, mix, outer, ridge, step, times
from lrfr.sources.rendering.skin import lip_colour

_SCLERA = np.array([0.42, 0.38, 0.36], np.float32)
_BLACK = np.array([0.010, 0.007, 0.006], np.float32)
_GLINT = np.array([1.2, 1.2, 1.2], np.float32)
_INSIDE = np.array([0.035, 0.010, 0.008], np.float32)
_TEETH = np.array([0.52, 0.47, 0.39], np.float32)
_FRAMES = np.array(  # half width, half height, roundness, line width, grey of the frame
    [
        [0.300, 0.200, 2.2, 0.016, 0.02],
        [0.290, 0.170, 5.0, 0.034, 0.01],
        [0.250, 0.235, 2.0, 0.020, 0.10],
        [0.310, 0.210, 3.5, 0.040, 0.015],
        [0.280, 0.130, 4.0, 0.014, 0.25],
        [0.330, 0.240, 2.6, 0.026, 0.06],
    ]
)


def paint(
    albedo: np.ndarray, x: np.ndarray, y: np.ndarray, person: Identity, look: Look, grain: np.ndarray
) -> np.ndarray:
    """Paints features over a piece of skin.

    Args:
        albedo: (h, w, 3), linear RGB, the skin under the features.
        x: (h, w), head units, across the face.
        y: (h, w), head units, down the face.
        person: whose features.
        look: with which expression.
        grain: (h, w) noise that makes hairs of the brows.
    """
    middle = x.shape[0] // 2
    pixel = float(y[middle + 1, x.shape[1] // 2] - y[middle, x.shape[1] // 2])
    painted = albedo.copy()
    lower = slice(_row(y, 0.45), None)
    painted[lower] = _mouth(painted[lower], x[lower], y[lower], person, look, pixel)
    upper = slice(_row(y, -0.60), _row(y, 0.45))
    for sign in (-1.0, 1.0):
        half = slice(0, x.shape[1] // 2 + 3) if sign < 0 else slice(x.shape[1] // 2 - 3, None)
        across, down = sign * x[upper, half], y[upper, half]
        part = _brow(painted[upper, half], across, down, person, look, grain[upper, half])
        painted[upper, half] = _eye(part, across, down, person, look, pixel, sign)
    return painted


def _row(y: np.ndarray, height: float) -> int:
    """The first row of a chart that lies below a height, in its middle column."""
    return int(np.searchsorted(y[:, y.shape[1] // 2], height))


def _eye(
    albedo: np.ndarray, x: np.ndarray, y: np.ndarray, person: Identity, look: Look, pixel: float, sign: float
) -> np.ndarray:
    width = person["eye_width"]
    u = (x - person["eye_spacing"]) * np.float32(1 / width)
    v = (y - person["eye_height"]) * np.float32(1 / width) + person["eye_tilt"] * u
    arc = np.clip(1 - u * u, 0, 1)
    opening = person["eye_opening"] * look.eyes_open
    upper, lower = -1.15 * opening * arc**0.8 * (1 - 0.12 * u), (0.25 + 0.40 * opening) * opening * arc
    soft = 0.9 * pixel / width
    side = np.abs(u)
    crease = ridge(v - upper, -0.20 - 0.14 * person["lid_fold"], 0.07)
    dark = crease * step(1.25, 0.9, side) * (0.25 + 0.35 * person["lid_fold"])
    dark += bump(u, v, (0, 0.62), (0.7, 0.12)) * (0.06 + 0.14 * person.age)
    albedo = times(albedo, 1 - np.clip(dark, 0, 0.8))
    inside = step(-soft, soft, np.minimum(v - upper, lower - v)) * (side < 1)
    albedo = mix(albedo, _eyeball(u, v, v - upper, person, look, soft, sign), inside)
    lash = ridge(v - upper, -0.03, 0.075) * (0.92 - 0.25 * person.masculinity)
    lash = np.maximum(lash, 0.30 * ridge(v, lower, 0.05)) * step(1.18, 0.98, side)
    return mix(albedo, _BLACK, lash)


def _eyeball(
    u: np.ndarray, v: np.ndarray, under_lid: np.ndarray, person: Identity, look: Look, soft: float, sign: float
) -> np.ndarray:
    """White, iris, pupil, the lid's shadow and the catch-light (h, w, 3)."""
    away = cv2.magnitude(u - np.float32(0.35 * sign * look.gaze), v + np.float32(0.10 * person["eye_opening"]))
    iris = step(0.45 + soft, 0.43 - soft, away)
    ball = outer(1 - iris, _SCLERA) + outer(iris, person.iris_colour)
    ball = mix(ball, _BLACK * 0.5, np.maximum(step(0.19 + soft, 0.17 - soft, away), 0.5 * ridge(away, 0.43, 0.05)))
    ball = times(ball, 1 - 0.55 * step(0.28, 0.0, under_lid) - 0.3 * np.minimum(u * u, 1))
    return mix(ball, _GLINT, step(0.13 + soft, 0.07, cv2.magnitude(u - np.float32(0.12 * sign), v + np.float32(0.22))))


def _brow(
    albedo: np.ndarray, x: np.ndarray, y: np.ndarray, person: Identity, look: Look, grain: np.ndarray
) -> np.ndarray:
    inner = person["eye_spacing"] - 0.25
    along = (x - inner) * np.float32(1 / (person["brow_length"] + 0.24))
    centre = person["eye_height"] - person["brow_height"] - 0.05 * look.brow_raise
    bend = (along - 0.6) * np.float32(1 / 0.6)
    line = centre - person["brow_tilt"] * (along - 0.4) - person["brow_arch"] * (1 - bend * bend)
    half = np.maximum(person["brow_thickness"] * (1.05 - 0.65 * along) + 0.006, 0.005)
    weight = step(1.25, 0.55, np.abs(y - line + 0.006 * grain) / half)
    weight *= step(-0.10, 0.10, along + 0.015 * grain) * step(1.08, 0.88, along)
    return mix(albedo, person.brow_colour, weight * np.clip(person["brow_density"] + 0.10 * grain, 0.1, 0.92))


def _mouth(albedo: np.ndarray, x: np.ndarray, y: np.ndarray, person: Identity, look: Look, pixel: float) -> np.ndarray:
    smile, gap = look.smile, 0.15 * look.mouth_open
    u = x * np.float32(1 / (person["mouth_width"] * (1 + 0.20 * smile - 0.15 * look.mouth_open * (1 - max(smile, 0)))))
    side, arc = np.abs(u), np.clip(1 - u * u, 0, 1)
    middle = person["mouth_height"] + 0.03 * smile - 0.10 * smile * u * u
    top, bottom = middle - 0.25 * gap * arc, middle + gap * arc
    upper = top - person["upper_lip"] * arc**0.75 * (1 - 0.22 * ridge(u, 0, 0.13)) * (1 - 0.2 * smile)
    lower = bottom + person["lower_lip"] * arc**0.55 * (1 - 0.15 * smile)
    soft = 1.2 * pixel
    fold = ridge(np.abs(x), person["nose_width"] + 0.06 + (y - 0.6) * 0.55 + 0.03 * smile, 0.028) * ridge(y, 0.76, 0.12)
    dark = (0.08 + 0.2 * max(smile, 0) + 0.15 * person.age) * fold + 0.35 * bump(u, y - lower, (0, 0.035), (0.5, 0.028))
    albedo = times(albedo, 1 - np.clip(dark, 0, 0.9))
    lips = step(-soft, soft, np.minimum(y - upper, lower - y)) * (side < 1)
    tone = np.where(y < middle, np.float32(0.66), np.float32(0.92)) + 0.35 * bump(
        u, y - bottom, (0, 0.05), (0.35, 0.022)
    )
    albedo = mix(albedo, outer(tone, lip_colour(person)), lips * 0.95)
    line = 0.75 * ridge(y, middle, 0.013) * step(1.08, 0.92, side) + 0.5 * bump(
        side, y - middle, (1.0, 0.0), (0.07, 0.025)
    )
    albedo = times(albedo, 1 - np.clip(line, 0, 0.9))
    if gap > 0.01:
        inside = step(-0.5 * soft, 0.5 * soft, np.minimum(y - top, bottom - y)) * (side < 0.98)
        teeth = 0.85 * step(0.075, 0.055, y - top) * step(0.92, 0.75, side) * (0.55 + 0.45 * arc)
        albedo = mix(albedo, outer(1 - teeth, _INSIDE) + outer(teeth, _TEETH), inside)
    return albedo


def glasses(
    x: np.ndarray, y: np.ndarray, person: Identity, style: int, tinted: bool
) -> tuple[np.ndarray, np.ndarray, float]:
    """The frame's and the lenses' weights (h, w), 0..1, and the frame's grey."""
    half_width, half_height, power, line, grey = _FRAMES[style].tolist()
    side = np.abs(x)
    u, v = (side - person["eye_spacing"] - 0.01) / half_width, (y - person["eye_height"] - 0.04) / half_height
    u, v = np.clip(np.abs(u), 0.01, 3), np.clip(np.abs(v), 0.01, 3)
    radius = (u**power + v**power) ** (1 / power)
    rim = step(1.8, 0.7, np.abs(radius - 1) * (half_height / line))
    bridge = step(0.05, 0.025, np.abs(y - person["eye_height"] + 0.03)) * (
        side < person["eye_spacing"] - half_width + 0.03
    )
    lens = step(1.02, 0.96, radius) * (0.90 if tinted else 0.10)
    return np.maximum(rim, bridge), lens, grey
