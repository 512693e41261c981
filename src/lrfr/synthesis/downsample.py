"""Bicubic downsampling and nothing else: how LR faces are commonly made, and the rival of learned synthesisers.

"Down-Sampling" in Table 1 of H. Fang et al., "Generate to Adapt: Resolution Adaption Network for Surveillance Face
Recognition" (RAN), ECCV 2020.
"""

import numpy as np

from lrfr.config import Section
from lrfr.core.resampling import bicubic_to_height


class Settings(Section):
    """There is nothing to set."""


def synthesize(image: np.ndarray, height_px: int, settings: Settings, rng: np.random.Generator) -> np.ndarray:
    """Shrinks an HR face.

    Args:
        image: (H, W, 3) RGB uint8.
        height_px: height of the LR face, at least 1.
        settings: empty.
        rng: not needed here; every synthesiser is given one.

    Returns:
        (height_px, w, 3) RGB uint8, aspect kept.
    """
    return bicubic_to_height(image, height_px)
