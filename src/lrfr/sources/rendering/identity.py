"""A person who does not exist: a latent vector of shape, skin, features and hair.

Lengths are in head units: half the width of the skull is 1, the eyes stand at height 0, the chin near 1.48 below.
"""

from dataclasses import dataclass, field

import numpy as np

# name: (mean, standard deviation, shift from the most feminine to the most masculine)
_SHAPE = {
    "skull_width": (0.98, 0.063, 0.02),
    "skull_height": (1.10, 0.06, 0.02),
    "skull_depth": (1.24, 0.06, 0.02),
    "jaw_width": (0.87, 0.084, 0.07),
    "jaw_length": (0.99, 0.072, 0.04),
    "chin_width": (0.24, 0.08, 0.08),
    "chin_forward": (0.10, 0.058, 0.03),
    "cheekbones": (0.055, 0.049, 0.0),
    "cheek_fullness": (0.035, 0.065, -0.02),
    "brow_ridge": (0.03, 0.028, 0.05),
    "eye_spacing": (0.43, 0.042, 0.0),
    "eye_height": (0.0, 0.046, 0.0),
    "eye_width": (0.212, 0.029, -0.012),
    "eye_opening": (0.36, 0.078, -0.06),
    "eye_tilt": (0.06, 0.09, -0.04),
    "eye_depth": (0.13, 0.046, 0.02),
    "lid_fold": (0.5, 0.36, 0.0),
    "brow_height": (0.285, 0.06, -0.05),
    "brow_thickness": (0.060, 0.021, 0.024),
    "brow_arch": (0.06, 0.039, -0.02),
    "brow_tilt": (-0.02, 0.07, 0.03),
    "brow_length": (0.29, 0.039, 0.01),
    "brow_density": (0.75, 0.24, 0.15),
    "nose_length": (0.475, 0.063, 0.03),
    "nose_width": (0.185, 0.038, 0.02),
    "nose_projection": (0.23, 0.06, 0.03),
    "nose_bridge": (0.42, 0.17, 0.10),
    "nose_bridge_width": (0.085, 0.021, 0.01),
    "nose_hump": (0.0, 0.042, 0.01),
    "mouth_height": (0.93, 0.04, 0.02),
    "mouth_width": (0.37, 0.056, 0.02),
    "upper_lip": (0.075, 0.026, -0.02),
    "lower_lip": (0.105, 0.036, -0.02),
    "lip_redness": (0.5, 0.3, -0.4),
    "ear_size": (0.27, 0.03, 0.03),
    "ear_flare": (0.16, 0.06, 0.02),
    "asymmetry": (0.0, 0.015, 0.0),
}

_HAIR_COLOURS = np.array(  # linear light: black, dark brown, brown, light brown, blond, red, grey, white
    [
        [0.012, 0.010, 0.009],
        [0.030, 0.019, 0.013],
        [0.070, 0.040, 0.022],
        [0.150, 0.090, 0.048],
        [0.360, 0.240, 0.115],
        [0.190, 0.065, 0.024],
        [0.220, 0.215, 0.210],
        [0.480, 0.470, 0.450],
    ],
    np.float32,
)
_IRIS_COLOURS = np.array(  # linear light: dark brown, brown, hazel, green, blue, grey
    [[0.02, 0.01, 0.006], [0.06, 0.03, 0.014], [0.11, 0.08, 0.03], [0.09, 0.12, 0.06], [0.10, 0.18, 0.28], [0.2] * 3],
    np.float32,
)
HAIR_STYLES = ("bald", "cropped", "short", "quiff", "side", "fringe", "bob", "long", "tied", "curly", "afro")
_STYLES_OF_MEN = np.array([0.12, 0.24, 0.22, 0.13, 0.13, 0.05, 0.0, 0.03, 0.02, 0.04, 0.02])
_STYLES_OF_WOMEN = np.array([0.005, 0.025, 0.06, 0.03, 0.06, 0.11, 0.20, 0.27, 0.13, 0.075, 0.035])


@dataclass(frozen=True, eq=False)  # compared and hashed as objects: that is what a cache of heads needs
class Identity:
    """What stays the same in all pictures of one person. Colours are linear RGB, 0..1."""

    shape: dict[str, float]
    masculinity: float
    age: float
    melanin: float
    redness: float
    freckles: float
    hair_style: str
    hair_colour: np.ndarray
    hair_volume: float
    hairline: float
    receding: float
    parting: float
    hair_curl: float
    brow_colour: np.ndarray
    iris_colour: np.ndarray
    stubble: float
    beard: float
    moustache: float
    wears_glasses: bool
    glasses: int
    texture_seed: int
    moles: np.ndarray = field(repr=False)  # (n, 3): x, y, size in head units

    def __getitem__(self, name: str) -> float:
        """A measure of the shape by its name."""
        return self.shape[name]


def draw_identity(rng: np.random.Generator) -> Identity:
    """Draws a person; correlations (skin with hair and features, age with grey hair) are loose on purpose."""
    masculinity = float(np.clip(rng.normal(0.85 if rng.random() < 0.52 else 0.12, 0.14), 0, 1))
    male = masculinity > 0.5
    age = float(rng.uniform(0, 1) ** 1.2)  # 0: twenty, 1: seventy-five
    melanin = float(
        rng.choice([rng.uniform(0.05, 0.3), rng.uniform(0.25, 0.55), rng.uniform(0.52, 0.9)], p=[0.5, 0.3, 0.2])
    )
    shape = {
        name: mean + shift * (masculinity - 0.5) + sd * _bounded(rng) for name, (mean, sd, shift) in _SHAPE.items()
    }
    longer = shape["nose_length"] - _SHAPE["nose_length"][0]
    shape["mouth_height"] += 0.5 * longer  # a long nose pushes the mouth down, and the chin a little
    shape["jaw_length"] += 0.15 * longer
    shape["nose_width"] += 0.035 * melanin
    shape["upper_lip"] += 0.03 * melanin
    shape["lower_lip"] += 0.025 * melanin
    hair_colour = _hair_colour(rng, melanin, age)
    bearded = male and rng.random() < 0.38
    return Identity(
        shape=shape,
        masculinity=masculinity,
        age=age,
        melanin=melanin,
        redness=float(np.clip(rng.normal(0.5, 0.25), 0, 1)),
        freckles=float(max(0.0, rng.normal(-0.3, 0.5))) * (melanin < 0.4),
        hair_style=str(rng.choice(HAIR_STYLES, p=_STYLES_OF_MEN if male else _STYLES_OF_WOMEN)),
        hair_colour=hair_colour,
        hair_volume=float(rng.uniform(0.7, 1.6)),
        hairline=float(rng.normal(0.93, 0.08)),
        receding=float(max(0.0, rng.normal(0.25 * age, 0.18))) if male else 0.0,
        parting=float(rng.choice([-0.4, 0.0, 0.4]) + rng.normal(0, 0.06)),
        hair_curl=float(rng.uniform(0, 1)),
        brow_colour=_brow_colour(rng, hair_colour, age),
        iris_colour=_IRIS_COLOURS[0 if melanin > 0.45 else int(rng.integers(0, 6))] * np.float32(rng.uniform(0.7, 1.3)),
        stubble=float(np.clip(rng.normal(0.35, 0.3), 0, 1)) if male else 0.0,
        beard=float(rng.uniform(0.4, 1.0)) if bearded and rng.random() < 0.6 else 0.0,
        moustache=float(rng.uniform(0.4, 1.0)) if bearded else 0.0,
        wears_glasses=bool(rng.random() < 0.2 + 0.2 * age),
        glasses=int(rng.integers(0, 6)),
        texture_seed=int(rng.integers(0, 2**31)),
        moles=_moles(rng),
    )


def _bounded(rng: np.random.Generator) -> float:
    """A standard normal number, with no monsters in its tails."""
    return float(np.clip(rng.normal(), -2.2, 2.2))


def _hair_colour(rng: np.random.Generator, melanin: float, age: float) -> np.ndarray:
    dark = np.array([0.62, 0.28, 0.08, 0.02, 0.0, 0.0, 0.0, 0.0])
    light = np.array([0.12, 0.24, 0.26, 0.16, 0.15, 0.07, 0.0, 0.0])
    weights = dark if melanin > 0.4 else light
    grey = max(0.0, age - 0.5) * 1.6
    weights = weights * (1 - min(grey, 0.9)) + np.array([0, 0, 0, 0, 0, 0, 0.6, 0.4]) * min(grey, 0.9)
    colour = _HAIR_COLOURS[rng.choice(len(weights), p=weights / weights.sum())]
    return (colour * rng.uniform(0.75, 1.3) * rng.uniform(0.93, 1.07, 3)).astype(np.float32)


def _brow_colour(rng: np.random.Generator, hair_colour: np.ndarray, age: float) -> np.ndarray:
    """Mostly darker than the hair, in some people much darker; grey later than the hair."""
    if age >= 0.75:
        return hair_colour * 0.8
    return (hair_colour * rng.uniform(0.2, 1.0) + 0.006).astype(np.float32)


def _moles(rng: np.random.Generator) -> np.ndarray:
    count = int(rng.poisson(1.2))
    return np.stack(
        [rng.uniform(-0.7, 0.7, count), rng.uniform(-0.7, 1.35, count), rng.uniform(0.012, 0.032, count)], axis=1
    ).astype(np.float32)
