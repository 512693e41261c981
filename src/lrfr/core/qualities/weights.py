"""Qualities as the weights by which images enter a template or an average: those that are hard to recognise count less.

Chai et al. (RI, CVPR 2023) do not pool; the weights are ours: the quality, scaled to 0..1 by its range over the images
of a test set, as in their Fig. 6, and at least 0.01, so that a template of the worst images alone has a direction too.
"""

import numpy as np

LEAST = 0.01


def weights(quality: np.ndarray) -> np.ndarray:
    """Qualities (N,) as weights (N,), 0.01 to 1, equal where all are equal; 0.01 for an image without a quality, minus
    infinity."""
    known = np.isfinite(quality)
    low, high = (quality[known].min(), quality[known].max()) if known.any() else (0.0, 0.0)
    found = np.full(len(quality), LEAST)
    found[known] = 1.0 if high == low else LEAST + (1 - LEAST) * (quality[known] - low) / (high - low)
    return found
