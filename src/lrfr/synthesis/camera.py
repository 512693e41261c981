"""A camera at a distance: optical blur, motion, sampling, exposure, noise and compression, in the order in which light
and data go through them, by albumentations (Buslaev et al., "Albumentations: Fast and Flexible Image Augmentations",
Information 11(2), 2020).

A face is first brought to four times the height that it will have. Blur and motion act there, in px of the LR face; the
sensor then averages 4 x 4 px into one. Exposure comes before the noise, as light does.
"""

import os
import random
from functools import lru_cache
from typing import Annotated

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it asks its makers' server at import otherwise

import albumentations as A
import cv2
import numpy as np
from annotated_types import Ge, Gt, Le, Len
from pydantic import AfterValidator

from lrfr.config import Section, ascending

FINER = 4
TwoEnds = (Len(2, 2), AfterValidator(ascending))


class Settings(Section):
    """Ranges, both ends included; each strength is drawn uniformly for each face.

    Attributes:
        blur: standard deviation of the optical blur, px of the LR face.
        motion: length of the motion during the exposure, px of the LR face, in any direction.
        exposure: the change of the light, a share of the range of values, either way.
        noise: standard deviation of the sensor's noise, of a white that is 1.
        jpeg_quality: 1..100.
    """

    blur: Annotated[list[Annotated[float, Gt(0), Le(100)]], *TwoEnds]
    motion: Annotated[list[Annotated[float, Ge(0), Le(100)]], *TwoEnds]
    exposure: Annotated[list[Annotated[float, Ge(-1), Le(1)]], *TwoEnds]
    noise: Annotated[list[Annotated[float, Ge(0), Le(1)]], *TwoEnds]
    jpeg_quality: Annotated[list[Annotated[int, Ge(1), Le(100)]], *TwoEnds]


def synthesize(image: np.ndarray, height_px: int, settings: Settings, rng: np.random.Generator) -> np.ndarray:
    """Shrinks an HR face as a camera far away would have taken it.

    Args:
        image: (H, W, 3) RGB uint8.
        height_px: height of the LR face, at least 1.
        settings: the strengths' ranges.
        rng: draws the strengths and the noise.

    Returns:
        (height_px, w, 3) RGB uint8, aspect kept.
    """
    width = max(1, round(image.shape[1] * height_px / image.shape[0]))
    fine = (FINER * width, FINER * height_px)
    smaller = fine[0] < image.shape[1]
    optics, sensor = _chain(settings.model_dump_json())
    drawn = np.random.default_rng(rng.integers(2**63)), random.Random(int(rng.integers(2**63)))
    for part in (optics, sensor):
        part.set_random_state(*drawn)
    near = cv2.resize(image, fine, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    seen = cv2.resize(optics(image=near)["image"], (width, height_px), interpolation=cv2.INTER_AREA)
    return sensor(image=seen)["image"]


@lru_cache(maxsize=8)
def _chain(settings: str) -> tuple[A.Compose, A.Compose]:
    """What happens before the sensor, at the finer size, and what from it on."""
    chosen = Settings.model_validate_json(settings)
    low, high = (max(3, 2 * round(FINER * length / 2) + 1) for length in chosen.motion)
    optics: list[A.BasicTransform | A.BaseCompose] = [
        A.GaussianBlur(blur_limit=0, sigma_limit=(FINER * chosen.blur[0], FINER * chosen.blur[1]), p=1)
    ]
    if chosen.motion[1] > 0:
        optics.append(A.MotionBlur(blur_limit=(low, high), p=1))
    sensor: list[A.BasicTransform | A.BaseCompose] = [
        A.RandomBrightnessContrast((chosen.exposure[0], chosen.exposure[1]), (0, 0), p=1),
        A.GaussNoise(std_range=(chosen.noise[0], chosen.noise[1]), p=1),
        A.ImageCompression(quality_range=(chosen.jpeg_quality[0], chosen.jpeg_quality[1]), p=1),
    ]
    return A.Compose(optics), A.Compose(sensor)
