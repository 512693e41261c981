"""Boxes x, y, width, height in px: how much they overlap, and which belongs to which."""

import numpy as np
from numpy.typing import ArrayLike


def iou(first: ArrayLike, second: ArrayLike) -> np.ndarray:
    """Intersection over union of every pair of boxes.

    Args:
        first: (N, 4) boxes x, y, width, height.
        second: (M, 4) boxes x, y, width, height.

    Returns:
        (N, M), 0..1; 0 for boxes without an area.
    """
    a, b = np.reshape(first, (-1, 1, 4)).astype(float), np.reshape(second, (1, -1, 4)).astype(float)
    start = np.maximum(a[..., :2], b[..., :2])
    end = np.minimum(a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:])
    areas = a[..., 2:].prod(axis=-1), b[..., 2:].prod(axis=-1)
    # Rounding can make the intersection of very thin boxes a little larger than the boxes.
    intersection = np.minimum(np.clip(end - start, 0, None).prod(axis=-1), np.minimum(*areas))
    union = areas[0] + areas[1] - intersection
    return np.divide(intersection, union, out=np.zeros_like(union), where=union > 0)


def match(first: ArrayLike, second: ArrayLike, threshold: float) -> list[tuple[int, int]]:
    """Pairs boxes one to one, those that overlap most first.

    Args:
        first: (N, 4) boxes.
        second: (M, 4) boxes.
        threshold: the least IoU of a pair, above 0 and up to 1.

    Returns:
        Pairs (index in ``first``, index in ``second``), best overlap first; ties go to the lower indices.
    """
    overlap = iou(first, second)
    rows, columns = np.nonzero(overlap >= threshold)
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for best in np.argsort(-overlap[rows, columns], kind="stable"):
        row, column = int(rows[best]), int(columns[best])
        if row not in pairs and column not in taken:
            pairs[row] = column
            taken.add(column)
    return list(pairs.items())
