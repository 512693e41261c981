"""The norm of the embedding.

Meng, Zhao, Huang & Zhou, "MagFace: A Universal Representation for Face Recognition and Quality Assessment", CVPR 2021,
section 3.2, where training makes it the quality; of any other model it is one by habit.
"""

import numpy as np


def quality(embedding: np.ndarray) -> np.ndarray:
    """The norms (N,) of embeddings (N, D), before they are normalised."""
    return np.linalg.norm(embedding, axis=1)
