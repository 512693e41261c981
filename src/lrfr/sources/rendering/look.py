"""What changes from picture to picture of one person: pose, expression, light and things worn."""

from dataclasses import dataclass, replace

import numpy as np

from lrfr.sources.rendering.identity import Identity


@dataclass(frozen=True)
class Light:
    """A key light and an ambient sky and ground; colours linear RGB (3,), direction a unit vector in view space."""

    direction: np.ndarray
    key: np.ndarray
    sky: np.ndarray
    ground: np.ndarray


@dataclass(frozen=True)
class Look:
    """One appearance of a head. Angles in radians; the other numbers are about 0..1."""

    yaw: float
    pitch: float
    roll: float
    smile: float
    mouth_open: float
    eyes_open: float
    gaze: float
    brow_raise: float
    glasses: int | None  # a style, None for no glasses
    tinted: bool
    headwear: str | None  # cap, beanie or scarf
    headwear_colour: np.ndarray
    light: Light

    def turned(self, yaw: float) -> "Look":
        """The same look with another yaw."""
        return replace(self, yaw=yaw)


def draw_light(rng: np.random.Generator) -> Light:
    """From soft and frontal to hard and from the side; warm to cold."""
    azimuth, elevation = rng.normal(0, 0.45), rng.uniform(0.2, 0.9)
    direction = np.array([np.sin(azimuth) * np.cos(elevation), -np.sin(elevation), np.cos(azimuth) * np.cos(elevation)])
    hardness = rng.uniform(0.25, 0.65)
    warmth = rng.normal(0, 0.10)
    tint = np.array([1 + warmth, 1.0, 1 - warmth])
    sky = (0.12 + (1 - hardness) * rng.uniform(0.75, 1.15)) * (0.5 + 0.5 / tint)
    return Light(direction, 1.5 * hardness * tint, sky, sky * rng.uniform(0.25, 0.6) * [1.05, 1.0, 0.92])


def draw_look(rng: np.random.Generator, person: Identity, light: Light, accessories: float) -> Look:
    """Draws an appearance; ``accessories`` scales how often things are worn."""
    smile = float(np.clip(rng.normal(0.42, 0.42), -0.4, 1.0))
    speaking = rng.random() < 0.25
    headwear = (
        str(rng.choice(["cap", "beanie", "scarf"], p=[0.5, 0.35, 0.15])) if rng.random() < 0.07 * accessories else None
    )
    glasses = rng.random() < (0.94 if person.wears_glasses else 0.015 * accessories)
    return Look(
        yaw=float(np.clip(rng.normal(0, 0.22), -0.66, 0.66)),
        pitch=float(np.clip(rng.normal(0.03, 0.10), -0.35, 0.35)),
        roll=float(np.clip(rng.normal(0, 0.10), -0.26, 0.26)),
        smile=smile,
        mouth_open=float(rng.uniform(0.2, 0.9)) if speaking else max(0.0, smile - 0.3) * float(rng.uniform(0, 1.1)),
        eyes_open=0.08 if rng.random() < 0.04 else float(np.clip(rng.normal(1.0 - 0.2 * smile, 0.12), 0.45, 1.2)),
        gaze=float(rng.normal(0, 0.3)),
        brow_raise=float(rng.normal(0, 0.4)),
        glasses=(person.glasses if person.wears_glasses else int(rng.integers(0, 6))) if glasses else None,
        tinted=bool(rng.random() < 0.04),
        headwear=headwear,
        headwear_colour=(rng.uniform(0.02, 0.5, 3) ** 1.3).astype(np.float32),
        light=light,
    )


def dimmed(light: Light, amount: float) -> Light:
    """The same light, ``amount`` times as strong."""
    return Light(light.direction, light.key * amount, light.sky * amount, light.ground * amount)
