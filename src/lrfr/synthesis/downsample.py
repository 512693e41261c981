"""Downsampling and nothing else: how LR faces are commonly made, and the rival of learned synthesisers.

"Down-Sampling" in Table 1 of H. Fang et al., "Generate to Adapt: Resolution Adaption Network for Surveillance Face
Recognition" (RAN), ECCV 2020; the paper does not say by which kernel.
"""

from collections.abc import Callable
from typing import Literal, Self

import cv2
import numpy as np
from pydantic import model_validator

from lrfr.config import Section
from lrfr.core.resampling import bicubic, bilinear, opencv_bicubic


class Settings(Section):
    """The kernel.

    Attributes:
        kernel: ``nearest`` takes one pixel of many, ``area`` their mean; ``bilinear`` and ``bicubic`` as named.
        antialiased: of ``bilinear`` and ``bicubic``: whether the kernel is as wide as what is shrunk, so that nothing
            aliases (Pillow, MATLAB), or reads neighbouring pixels only (OpenCV). ``area`` always is, ``nearest`` never.
    """

    kernel: Literal["nearest", "bilinear", "bicubic", "area"] = "bicubic"
    antialiased: bool | None = None

    @model_validator(mode="after")
    def _is_one_kernel(self) -> Self:
        if self.kernel in ("nearest", "area") and self.antialiased is not None:
            raise ValueError("antialiased goes with the kernels bilinear and bicubic; leave it out")
        return self


def _by_opencv(method: int) -> Callable[[np.ndarray, int, int], np.ndarray]:
    def resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
        return cv2.resize(image, (width, height), interpolation=method)

    return resize


KERNELS: dict[tuple[str, bool], Callable[[np.ndarray, int, int], np.ndarray]] = {
    ("nearest", False): _by_opencv(cv2.INTER_NEAREST_EXACT),
    ("area", True): _by_opencv(cv2.INTER_AREA),
    ("bilinear", True): bilinear,
    ("bilinear", False): _by_opencv(cv2.INTER_LINEAR),
    ("bicubic", True): bicubic,
    ("bicubic", False): opencv_bicubic,
}


def synthesize(image: np.ndarray, height_px: int, settings: Settings, rng: np.random.Generator) -> np.ndarray:
    """Shrinks an HR face.

    Args:
        image: (H, W, 3) RGB uint8.
        height_px: height of the LR face, at least 1.
        settings: the kernel.
        rng: not needed here; every synthesiser is given one.

    Returns:
        (height_px, w, 3) RGB uint8, aspect kept.
    """
    antialiased = settings.kernel != "nearest" if settings.antialiased is None else settings.antialiased
    width = max(1, round(image.shape[1] * height_px / image.shape[0]))
    return KERNELS[settings.kernel, antialiased](image, height_px, width)
