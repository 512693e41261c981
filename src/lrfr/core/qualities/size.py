"""The size of a face: the number of pixels between the eyes is ISO/IEC 29794-5's plainest measure, and this its like.

ISO/IEC 29794-5:2025, "Biometric sample quality, part 5: Face image data".
"""

import numpy as np


def quality(width: np.ndarray, height: np.ndarray) -> np.ndarray:
    """The shorter side (N,), px, of crops of these widths and heights (N,), px."""
    return np.minimum(width, height)
