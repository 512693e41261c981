"""The confidence of the detector that found the face.

Zhang, Zhang, Li & Qiao, "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks", 2016,
whose O-Net gives it here; insightface's IJB evaluation weighs images by it.
"""

import numpy as np


def quality(score: np.ndarray) -> np.ndarray | None:
    """The scores (N,), 0..1; None where a face has none (NaN)."""
    return None if np.isnan(score).any() else score
