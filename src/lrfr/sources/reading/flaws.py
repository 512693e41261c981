"""What leaves nobody recognisable: too great a distance, motion, darkness.

Detections on MARS and LPW with such flaws are the unrecognizable faces of Chai et al. (Recognizability Embedding
Enhancement, CVPR 2023).
"""

import cv2
import numpy as np

FLAWS = ("distance", "motion", "dark")
TINY, USUAL = (5.0, 8.0), (12.0, 26.0)  # px, heights; below 9 px native faces count as unrecognizable too


def draw_flaw(rng: np.random.Generator) -> tuple[str, float]:
    """A flaw, and how high the face is then, px."""
    flaw = str(rng.choice(FLAWS))
    return flaw, float(rng.uniform(*(TINY if flaw == "distance" else USUAL)))


def flawed(light: np.ndarray, height: float, flaw: str, rng: np.random.Generator) -> np.ndarray:
    """A scene as a flaw leaves it; distance is not the scene's, and leaves it as it is.

    Args:
        light: (H, W, 3) float32, linear.
        height: of the face in it, px.
        flaw: one of :data:`FLAWS`.
        rng: draws how much.
    """
    if flaw == "dark":
        return light * np.float32(rng.uniform(0.02, 0.05))
    if flaw == "motion":
        length = max(round(height * float(rng.uniform(0.6, 0.9))), 2)
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1 / length
        turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), float(rng.uniform(0, 180)), 1)
        kernel = cv2.warpAffine(kernel, turn, (length, length))
        return cv2.filter2D(light, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    return light
