"""Things in order, cut into parts as even as can be: the one rule for folds, and for all else that is cut."""

import numpy as np


def part_sizes(count: int, parts: int) -> np.ndarray:
    """The sizes (parts,) int64 of runs of ``count`` things: the first ones longer, as in scikit-learn's KFold."""
    whole, longer = divmod(count, parts)
    return np.full(parts, whole) + (np.arange(parts) < longer)


def part_of_each(count: int, parts: int) -> np.ndarray:
    """The part (count,) int64, from 0, that each of ``count`` things in order is in."""
    return np.repeat(np.arange(parts), part_sizes(count, parts))
