"""Random genuine and impostor pairs among faces, as the error-versus-reject protocol draws them."""

from dataclasses import dataclass

import numpy as np

from lrfr.errors import EmbeddingError


@dataclass(frozen=True)
class DrawnPairs:
    """Pairs of faces, genuine ones first.

    Attributes:
        left: (M,) int64 rows.
        right: (M,) int64 rows.
        same: (M,) bool.
        capped: what was asked for and does not exist, in words; empty if all could be drawn.
    """

    left: np.ndarray
    right: np.ndarray
    same: np.ndarray
    capped: list[str]


def draw_pairs(
    face_id: np.ndarray, identity: np.ndarray, positives: int = 20_888, negatives: int = 50_000, seed: int = 0
) -> DrawnPairs:
    """Draws unordered pairs without repetition among all faces given (the ERC's: TinyFace's probe and gallery).

    Faces are put in the order of their ids first, so the draw depends on who is there and on the seed, not on the
    order of the rows. Every set of pairs is equally likely.

    Args:
        face_id: (N,) unique ids, strings or integers.
        identity: (N,) identities, strings or integers; faces of nobody known must be left out.
        positives: genuine pairs to draw; all of them if fewer exist.
        negatives: impostor pairs to draw, likewise.
        seed: of the draw.

    Raises:
        EmbeddingError: lengths that differ, or a face id that is there twice.
    """
    face_id, identity = np.asarray(face_id), np.asarray(identity)
    if face_id.ndim != 1 or face_id.shape != identity.shape:
        raise EmbeddingError(f"face ids {face_id.shape} and identities {identity.shape} differ; both must be (N,)")
    order = np.argsort(face_id)
    if (twice := np.flatnonzero(face_id[order][1:] == face_id[order][:-1])).size:
        raise EmbeddingError("a face is there twice", where=f"face {face_id[order][twice[0]]}")
    rng = np.random.default_rng(seed)
    genuine = _genuine(np.unique(identity[order], return_inverse=True)[1])
    impostors = len(order) * (len(order) - 1) // 2 - len(genuine)
    chosen_genuine = genuine[_choice(rng, len(genuine), positives)]
    chosen = _choice(rng, impostors, negatives)
    # the k-th pair that is not genuine lies behind k others and behind the genuine ones before it
    chosen += np.searchsorted(genuine - np.arange(len(genuine)), chosen, "right")
    left, right = _pair(np.concatenate([chosen_genuine, chosen]), len(order))
    capped = [
        f"{wanted} {kind} pairs were asked for, {there} exist"
        for kind, wanted, there in (("genuine", positives, len(genuine)), ("impostor", negatives, impostors))
        if there < wanted
    ]
    return DrawnPairs(order[left], order[right], np.arange(len(left)) < len(chosen_genuine), capped)


def _genuine(person: np.ndarray) -> np.ndarray:
    """The numbers, ascending, of all genuine pairs among faces whose identities are ``person`` (N,)."""
    order = np.argsort(person, kind="stable")
    numbers = []
    for apart in range(1, int(np.bincount(person).max(initial=0))):
        here = np.flatnonzero(person[order][apart:] == person[order][:-apart])
        numbers.append(_number(order[here], order[here + apart], len(person)))
    return np.sort(np.concatenate(numbers)) if numbers else np.zeros(0, np.int64)


def _choice(rng: np.random.Generator, there: int, wanted: int) -> np.ndarray:
    """``wanted`` of the numbers below ``there``, ascending, all if there are fewer."""
    return np.sort(rng.choice(there, wanted, replace=False)) if wanted < there else np.arange(there)


def _number(left: np.ndarray, right: np.ndarray, faces: int) -> np.ndarray:
    """The number of the pair (left < right) in the list (0, 1), (0, 2) ... (1, 2) ..."""
    return left * (2 * faces - left - 1) // 2 + right - left - 1


def _pair(number: np.ndarray, faces: int) -> tuple[np.ndarray, np.ndarray]:
    """The pairs (left < right) of these numbers."""
    rows = np.arange(faces)
    left = np.searchsorted(_number(rows, rows + 1, faces), number, "right") - 1
    # the last face begins no pair, and shares its number with the one before where that begins none either
    return left, number - _number(left, left + 1, faces) + left + 1
