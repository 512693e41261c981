"""A poor camera, in the order of its physics: blur, motion, sampling, noise, exposure, compression.

The lens blurs and the face moves while light falls on the sensor; each pixel gathers the light of its area; reading it
adds noise; the camera's digital gain brightens or darkens signal and noise alike (noise before gain: T. Brooks et al.,
"Unprocessing Images for Learned Raw Denoising", CVPR 2019, section 3); what is stored is JPEG. Each strength is drawn
uniformly for each face.

The filters work on a grid twice as fine as the LR face, not on the HR face: what is finer is lost in sampling anyway.
benchmarks/synthesis.md has what that saves.
"""

import math
from typing import Annotated

import cv2
import numpy as np
from annotated_types import Ge, Gt, Le, Len
from pydantic import AfterValidator

from lrfr.config import Section, ascending

TwoEnds = (Len(2, 2), AfterValidator(ascending))
FINE = 2  # pixels of the filters' grid to one of the LR face, each way
GAMMA = 2.2  # between light and the values of an image
SUBPIXEL = 4  # bits behind the point of the coordinates of OpenCV's lines


class Settings(Section):
    """Ranges, both ends included.

    Args:
        blur: standard deviation of the lens's blur, px of the LR face.
        motion: how far the face moves meanwhile, px of the LR face; in any direction.
        noise: standard deviation of the sensor's noise, of a white that is 1.
        exposure: the gain, in stops of light; 0 leaves the light as it is.
        jpeg_quality: 1..100.
    """

    blur: Annotated[list[Annotated[float, Gt(0), Le(1000)]], *TwoEnds]
    motion: Annotated[list[Annotated[float, Ge(0), Le(1000)]], *TwoEnds]
    noise: Annotated[list[Annotated[float, Ge(0), Le(1)]], *TwoEnds]
    exposure: Annotated[list[Annotated[float, Ge(-10), Le(10)]], *TwoEnds]
    jpeg_quality: Annotated[list[Annotated[int, Ge(1), Le(100)]], *TwoEnds]


def synthesize(image: np.ndarray, height_px: int, settings: Settings, rng: np.random.Generator) -> np.ndarray:
    """Takes an HR face again, from afar.

    Args:
        image: (H, W, 3) RGB uint8.
        height_px: height of the LR face, at least 1.
        settings: the strengths' ranges.
        rng: draws the strengths and the noise.

    Returns:
        (height_px, w, 3) RGB uint8, aspect kept.
    """
    height, width = image.shape[:2]
    size = max(1, round(width * height_px / height)), height_px
    blur, motion, noise, exposure = (
        low + (high - low) * rng.random()
        for low, high in (settings.blur, settings.motion, settings.noise, settings.exposure)
    )
    angle = math.pi * rng.random()
    quality = int(rng.integers(settings.jpeg_quality[0], settings.jpeg_quality[1], endpoint=True))
    scene = image if height <= FINE * height_px else _sampled(image, (FINE * size[0], FINE * size[1]))
    scale = scene.shape[0] / height_px
    seen = cv2.GaussianBlur(scene, (0, 0), blur * scale, borderType=cv2.BORDER_REFLECT)
    light = _sampled(_moved(seen, motion * scale, angle), size)
    return _jpeg(_exposed(_noisy(light, noise, rng), exposure), quality)


def _sampled(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """What the pixels of a coarser grid (width, height) gather of an image (H, W, 3), each from its area."""
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _moved(image: np.ndarray, length: float, angle: float) -> np.ndarray:
    """An image (H, W, 3) averaged along a line of so many px at an angle, radians."""
    if length < 0.5:
        return image
    kernel = motion_kernel(length, angle)
    return cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT)


def motion_kernel(length: float, angle: float) -> np.ndarray:
    """A line of ``length`` px through the middle at an angle, radians, as weights (k, k) that sum to 1, k odd."""
    middle = math.ceil(length / 2)
    line = np.zeros((2 * middle + 1, 2 * middle + 1), np.uint8)
    one = 1 << SUBPIXEL
    across, along = length / 2 * math.cos(angle), length / 2 * math.sin(angle)
    ends = [(round((middle + sign * across) * one), round((middle + sign * along) * one)) for sign in (-1, 1)]
    cv2.line(line, ends[0], ends[1], 255, 1, cv2.LINE_AA, SUBPIXEL)
    return line.astype(np.float32) / max(int(line.sum()), 1)


def _noisy(image: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    """An image (h, w, 3) as float32, 0..255 and beyond, with white Gaussian noise."""
    return rng.standard_normal(image.shape, np.float32) * np.float32(255 * deviation) + image


def _exposed(image: np.ndarray, stops: float) -> np.ndarray:
    """An image (h, w, 3), float32, as uint8 after a gain of so many stops; values saturate."""
    return cv2.convertScaleAbs(np.maximum(image, 0), alpha=2 ** (stops / GAMMA))


def _jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """What is left of an image (h, w, 3) uint8 after JPEG."""
    encoded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB))
