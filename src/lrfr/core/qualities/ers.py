"""ERS, the embedding recognizability score: how far an embedding is from those of unrecognizable faces.

Deng, Xiong, Wang, Xia & Soatto, "Harnessing Unrecognizable Faces for Improving Face Recognition", WACV 2023. It needs
the centre of the unrecognizable faces at test time. The cosine distance is taken as it is, not cut off at 1.
"""

import numpy as np


def center(embedding: np.ndarray) -> np.ndarray:
    """The mean (D,) of the embeddings (N, D) of unrecognizable faces, each at unit length; N is at least 1."""
    return (embedding / np.linalg.norm(embedding, axis=1, keepdims=True)).mean(axis=0)


def quality(embedding: np.ndarray, ui_center: np.ndarray) -> np.ndarray:
    """1 - cos of embeddings (N, D) with the centre (D,): (N,), 0..2; 0 for an embedding without a direction."""
    length = np.linalg.norm(embedding, axis=1) * np.linalg.norm(ui_center)
    return 1 - np.divide(embedding @ ui_center, length, out=np.ones(len(embedding)), where=length > 0)
