"""Where eyes, nose and mouth are in every face that is aligned to a template."""

from typing import NamedTuple

import numpy as np

from lrfr.core.alignment import TEMPLATES

# Height and width of each patch in distances between the eyes, about the landmarks that are its centre
EXTENTS = {"eyes": (0.9, 2.0, (0, 1)), "nose": (1.0, 1.1, (2,)), "mouth": (0.9, 1.5, (3, 4))}


class Box(NamedTuple):
    """A part of an image, px: its first row and column, and the first ones behind it."""

    top: int
    left: int
    bottom: int
    right: int


def patches(presentation: str, size: int) -> dict[str, Box]:
    """The boxes of eyes, nose and mouth in a face aligned to the template of that name and ``size`` px large.

    MR-GAN takes them at fixed places and does not give these (Fang et al., ECCV 2020, section 3.2).
    """
    side, template = TEMPLATES[presentation]
    points = template * size / side
    eyes = float(np.linalg.norm(points[1] - points[0]))
    return {
        name: _box(points[list(landmarks)].mean(axis=0), height * eyes, width * eyes, size)
        for name, (height, width, landmarks) in EXTENTS.items()
    }


def central(size: int) -> Box:
    """The central patch of an attention map: 85 x 82 px of 112 (section 3.3), scaled."""
    middle = np.array([size / 2, size / 2])
    return _box(middle, 85 / 112 * size, 82 / 112 * size, size)


def _box(centre: np.ndarray, height: float, width: float, size: int) -> Box:
    extent = np.rint([height, width])
    first = np.rint(centre[::-1] - extent / 2)
    edges = np.clip([first, first + extent], 0, size).astype(int)
    return Box(*edges.ravel().tolist())
