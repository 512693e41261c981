"""Training augmentation, the only place that knows albumentations."""

import os
import random

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it asks its makers' server at import otherwise

import albumentations as A
import cv2
import numpy as np

from lrfr.nn.batches.augmentation_settings import AugmentationSettings

SOME = AugmentationSettings()


class Augmentation:
    """Mirrors a face, shifts, scales and tilts its box, changes the light; one seed gives one outcome.

    Args:
        chosen: which of these, and how far.
    """

    def __init__(self, chosen: AugmentationSettings = SOME) -> None:
        self._transform = A.Compose(_transforms(chosen))

    def __call__(self, image: np.ndarray, seed: int) -> np.ndarray:
        """An RGB image (H, W, 3), uint8, to one of the same shape and type."""
        # One stream of draws for all: set_random_seed would give each the same one, and every mirrored face would be
        # lit otherwise
        self._transform.set_random_state(np.random.default_rng(seed), random.Random(seed))
        return self._transform(image=image)["image"]


def _transforms(chosen: AugmentationSettings) -> list[A.BaseCompose | A.BasicTransform]:
    """Those that are wanted, in order; what is switched off draws nothing."""
    wanted: list[A.BaseCompose | A.BasicTransform] = []
    if chosen.mirror:
        wanted.append(A.HorizontalFlip(p=0.5))
    if chosen.shift or chosen.scale or chosen.rotation:
        wanted.append(
            A.Affine(
                translate_percent=(-chosen.shift, chosen.shift),
                scale=(1 - chosen.scale, 1 + chosen.scale),
                rotate=(-chosen.rotation, chosen.rotation),
                border_mode=cv2.BORDER_REPLICATE,
                p=0.9,
            )
        )
    if chosen.brightness or chosen.contrast:
        wanted.append(A.RandomBrightnessContrast(chosen.brightness, chosen.contrast, p=0.6))
    if chosen.gamma is not None:
        low, high = chosen.gamma
        wanted.append(A.RandomGamma((100 * low, 100 * high), p=0.3))
    if chosen.blur is not None:
        wanted.append(A.GaussianBlur(blur_limit=0, sigma_limit=(chosen.blur[0], chosen.blur[1]), p=0.5))
    return wanted
