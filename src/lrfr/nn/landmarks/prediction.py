"""Landmarks of faces in memory."""

from collections.abc import Sequence

import numpy as np
import torch

from lrfr.nn.compute import device
from lrfr.nn.landmarks.network import CNN6, POINTS, SIDE
from lrfr.nn.resolution import to_input

BATCH = 256


@torch.inference_mode()
def predict(model: CNN6, images: Sequence[np.ndarray]) -> np.ndarray:
    """Finds the five landmarks of each face.

    Args:
        model: on any device; it is moved to the best there is, to be evaluated.
        images: face crops (H, W, 3), RGB, uint8, of any size.

    Returns:
        (N, 5, 2) float64: x, y in px of each image; a point may lie outside of it.
    """
    model = model.to(device(), memory_format=torch.channels_last).eval()  # pyrefly: ignore
    points = [np.empty((0, POINTS, 2))]
    for start in range(0, len(images), BATCH):
        part = images[start : start + BATCH]
        inputs = torch.cat([to_input(image, (SIDE, SIDE)) for image in part])
        found = model(inputs.to(device())).cpu().double().numpy().reshape(-1, POINTS, 2)
        sizes = np.array([image.shape[1::-1] for image in part])
        points.append(found * sizes[:, None] / SIDE)
    return np.concatenate(points)
