"""The classical degradation model: blur, downsampling, noise, JPEG.

x = JPEG((y * k) downsampled + n), eq. 1 of X. Wang et al., "Real-ESRGAN: Training Real-World Blind Super-Resolution
with Pure Synthetic Data", ICCVW 2021, with k an isotropic Gaussian and n white Gaussian noise; each strength is drawn
uniformly for each face.
"""

from typing import Annotated

import cv2
import numpy as np
from annotated_types import Ge, Gt, Le, Len
from pydantic import AfterValidator

from lrfr.config import Section, ascending
from lrfr.core.resampling import bicubic_to_height
from lrfr.faces import decode

TwoEnds = (Len(2, 2), AfterValidator(ascending))


class Settings(Section):
    """Ranges, both ends included.

    Args:
        blur: standard deviation of the blur, px of the LR face.
        noise: standard deviation of the noise, of a white that is 1.
        jpeg_quality: 1..100.
    """

    blur: Annotated[list[Annotated[float, Gt(0), Le(1000)]], *TwoEnds]
    noise: Annotated[list[Annotated[float, Ge(0), Le(1)]], *TwoEnds]
    jpeg_quality: Annotated[list[Annotated[int, Ge(1), Le(100)]], *TwoEnds]


def synthesize(image: np.ndarray, height_px: int, settings: Settings, rng: np.random.Generator) -> np.ndarray:
    """Shrinks an HR face as a poor camera would have taken it.

    Args:
        image: (H, W, 3) RGB uint8.
        height_px: height of the LR face, at least 1.
        settings: the strengths' ranges.
        rng: draws the strengths and the noise.

    Returns:
        (height_px, w, 3) RGB uint8, aspect kept.
    """
    blur = rng.uniform(settings.blur[0], settings.blur[1]) * image.shape[0] / height_px  # in px of the HR image
    small = bicubic_to_height(cv2.GaussianBlur(image, (0, 0), blur, borderType=cv2.BORDER_REFLECT), height_px)
    noise = rng.uniform(settings.noise[0], settings.noise[1])
    noisy = small + rng.normal(0, 255 * noise, small.shape)
    quality = int(rng.integers(settings.jpeg_quality[0], settings.jpeg_quality[1], endpoint=True))
    return _jpeg(np.clip(np.rint(noisy), 0, 255).astype(np.uint8), quality)


def _jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """What is left of an image (h, w, 3) uint8 after JPEG."""
    return decode(cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes())
