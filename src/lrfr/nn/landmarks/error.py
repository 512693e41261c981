"""How far predicted landmarks are from the true ones."""

import numpy as np


def normalised_error(predicted: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The mean distance (N,) between predicted and reference points (N, 5, 2), in % of the interocular distance.

    That distance is the one between the reference's eyes, which must not coincide.
    """
    distance = np.linalg.norm(predicted - reference, axis=-1).mean(axis=-1)
    return 100 * distance / np.linalg.norm(reference[:, 1] - reference[:, 0], axis=-1)
