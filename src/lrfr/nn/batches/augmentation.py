"""Training augmentation, the only place that knows albumentations."""

import os
import random

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it asks its makers' server at import otherwise

import albumentations as A
import cv2
import numpy as np


class Augmentation:
    """Mirror, shift, scale and tilt the box, change light; one seed gives one outcome.

    The shift of up to 1/16 of the side is that of a random 224 px crop out of 256 (T-C, section 5), without cutting
    the border off boxes that are tight already.
    """

    def __init__(self) -> None:
        self._transform = A.Compose(
            [
                A.HorizontalFlip(p=0.5),
                A.Affine(
                    translate_percent=(-1 / 16, 1 / 16),
                    scale=(0.92, 1.08),
                    rotate=(-8, 8),
                    border_mode=cv2.BORDER_REPLICATE,
                    p=0.9,
                ),
                A.RandomBrightnessContrast(0.25, 0.25, p=0.6),
                A.RandomGamma((70, 140), p=0.3),
            ]
        )

    def __call__(self, image: np.ndarray, seed: int) -> np.ndarray:
        """An RGB image (H, W, 3), uint8, to one of the same shape and type."""
        # One stream of draws for all four: set_random_seed would give each the same one, and every mirrored face would
        # be lit otherwise
        self._transform.set_random_state(np.random.default_rng(seed), random.Random(seed))
        return self._transform(image=image)["image"]
