"""SER-FIQ: how far the embeddings of one image under different dropouts agree.

Terhorst, Kolf, Damer, Kirchbuchner & Kuijper, "SER-FIQ: Unsupervised Estimation of Face Image Quality Based on
Stochastic Embedding Robustness", CVPR 2020, eq 1; 100 passes as published.
"""

import numpy as np


def quality(stochastic: np.ndarray) -> np.ndarray:
    """q of eq 1: 2 sigmoid(-2 / m^2 times the sum of the Euclidean distances of all pairs of an image's embeddings).

    Args:
        stochastic: (N, m, D) embeddings, at unit length, of each image in m passes.

    Returns:
        (N,), 0..1.
    """
    passes = stochastic.shape[1]
    inner = np.clip(np.einsum("nad,nbd->nab", stochastic, stochastic), -1, 1)
    distances = np.sqrt(np.maximum(2 - 2 * inner, 0))
    mean = np.triu(distances, 1).sum(axis=(1, 2)) * 2 / passes**2
    return 2 / (1 + np.exp(mean))
