"""Downsampling and nothing else: how LR faces are commonly made, and the rival of learned synthesisers.

"Down-Sampling" in Table 1 of H. Fang et al., "Generate to Adapt: Resolution Adaption Network for Surveillance Face
Recognition" (RAN), ECCV 2020. Papers differ in the kernel, and whether it widens with the scale, so that nothing
aliases; bicubic and antialiased, as MATLAB's ``imresize`` and Pillow have it, is the default.
"""

from typing import Literal

import cv2
import numpy as np
from pydantic import model_validator

from lrfr.config import Section
from lrfr.core.resampling import bicubic, bilinear

Kernel = Literal["nearest", "bilinear", "bicubic", "area"]
PLAIN = {
    "nearest": cv2.INTER_NEAREST,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
    "area": cv2.INTER_AREA,
}
ANTIALIASED = {"bilinear": bilinear, "bicubic": bicubic}


class Settings(Section):
    """How it is done.

    Attributes:
        kernel: the nearest pixel; a triangle; Keys' cubic; or the mean of the area.
        antialiased: whether a triangle or a cubic widens with the scale; OpenCV's and PyTorch's do not. Nearest pixels
            always alias, areas never do.
    """

    kernel: Kernel = "bicubic"
    antialiased: bool | None = None

    @model_validator(mode="after")
    def _kernel_can_do_so(self) -> "Settings":
        only = {"nearest": False, "area": True}.get(self.kernel)
        if only is not None and self.antialiased not in (None, only):
            raise ValueError(f"the kernel '{self.kernel}' is {'always' if only else 'never'} antialiased: leave it out")
        return self


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
    width_px = max(1, round(image.shape[1] * height_px / image.shape[0]))
    if settings.kernel in ANTIALIASED and settings.antialiased is not False:
        return ANTIALIASED[settings.kernel](image, height_px, width_px)
    return cv2.resize(image, (width_px, height_px), interpolation=PLAIN[settings.kernel])
