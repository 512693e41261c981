"""Verification pairs of generated people."""

from itertools import combinations
from typing import Any

import numpy as np


def verification_pairs(people: list[list[str]], rng: np.random.Generator) -> list[dict[str, Any]]:
    """All pairs of one person's faces, then as many, drawn at random, of two people's.

    Args:
        people: the faces of each of at least two people.
        rng: draws the second kind.

    Returns:
        Rows with ``left``, ``right`` and ``same``.
    """
    positive = [(*pair, True) for faces in people for pair in combinations(faces, 2)]
    strangers = [rng.choice(len(people), 2, replace=False).tolist() for _ in positive]
    negative = [(rng.choice(people[one]).item(), rng.choice(people[other]).item(), False) for one, other in strangers]
    return [{"left": left, "right": right, "same": same} for left, right, same in positive + negative]
