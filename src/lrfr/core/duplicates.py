"""Pictures that stand more than once: exact copies by their digest, near ones by hash and then pixel by pixel."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

# Measured on LFW's 13,233 faces at 10 to 32 px: recompressed as JPEG at quality 70 or enlarged twofold, 97 % of the
# copies are found. None of 87 million pairs is wrongly taken for one: in four draws of the sizes 13 pairs were found,
# which all show the same photograph, four of them under two names.
HASH_BITS = 10  # perceptual hashes of 64 bits that differ in no more are looked at closer
THUMBNAIL = 16  # px; two pictures are compared pixel by pixel at this size
SAME_PICTURE = 6.0  # the mean absolute difference of thumbnails, 0..255, that was measured; curate.near_copies decides

# Dark or blurred faces can have thousands of near hashes. A picture is compared with so many of the nearest in a pass;
# what is found leaves, and the rest are compared again. Where several hundred pictures all have near hashes and near
# brightness, and yet differ, a copy among them may stay unseen.
CANDIDATES = 32
PASSES = 4

ROWS = 32  # pictures whose hashes are compared with all of theirs at a time
PAIRS = 1 << 12  # thumbnails compared at a time


@dataclass(frozen=True)
class Copy:
    """One picture that shows what an earlier one shows.

    Attributes:
        copy: its index.
        first: the index of the picture that it copies, which is no copy itself, or stays although it is one.
        difference: mean absolute difference of their thumbnails, 0..255.
        is_exact: whether all pixels are equal.
    """

    copy: int
    first: int
    difference: float
    is_exact: bool


def find_copies(
    digests: np.ndarray,
    hashes: np.ndarray,
    thumbnails: np.ndarray,
    stays: np.ndarray,
    same_picture: float = SAME_PICTURE,
    judged: Mapping[tuple[int, int], bool] | None = None,
) -> list[Copy]:
    """Finds the pictures that show the same as an earlier one, re-encoded or resized or not.

    A copy is compared with what is kept, lest chains of ever so slight changes drift: no two kept pictures that were
    compared are copies of each other, and each copy was compared with the one that it is said to copy.

    Args:
        digests: (N,) uint64, equal where all pixels are. The order is that in which pictures are kept.
        hashes: (N,) uint64, perceptual hashes.
        thumbnails: (N, THUMBNAIL, THUMBNAIL, 3) uint8; they decide.
        stays: (N,) bool: pictures that are kept even if they are copies; they come before all others.
        same_picture: mean absolute difference of thumbnails, 0..255, up to which two crops show the same picture.
        judged: pairs of indices, the later one first, of which people know whether they show the same picture.

    Returns:
        The copies in their order, those that stay included.
    """
    _, first, group = np.unique(digests, return_index=True, return_inverse=True)
    representative = first[group]
    alive = np.flatnonzero(representative == np.arange(len(digests)))
    known = _of_representatives(judged or {}, representative)
    found: dict[int, tuple[int, float]] = {}
    for _ in range(PASSES):
        near, complete = _near_pairs(hashes[alive], thumbnails[alive], same_picture)
        pairs = [(int(alive[later]), int(alive[earlier]), difference) for later, earlier, difference in near]
        leaving = set()
        for copy, original, difference in _as_judged(pairs, known, alive, thumbnails):
            if copy not in found and original not in leaving:
                found[copy] = original, difference
                leaving |= set() if stays[copy] else {copy}
        alive = alive[~np.isin(alive, list(leaving))]
        if complete or not leaving:
            break
    return [
        _copy(index, int(same), found, stays)
        for index, same in enumerate(representative)
        if same != index or index in found
    ]


def _of_representatives(judged: Mapping[tuple[int, int], bool], first: np.ndarray) -> dict[tuple[int, int], bool]:
    """What is known of pairs, said of the first picture with the same pixels; two with the same pixels are copies."""
    known = {(int(first[later]), int(first[earlier])): is_copy for (later, earlier), is_copy in judged.items()}
    return {(max(pair), min(pair)): is_copy for pair, is_copy in known.items() if pair[0] != pair[1]}


def _as_judged(
    pairs: list[tuple[int, int, float]],
    known: dict[tuple[int, int], bool],
    alive: np.ndarray,
    thumbnails: np.ndarray,
) -> list[tuple[int, int, float]]:
    """The pairs (later, earlier, difference) without those that people know to differ, and with those that they know to
    be alike; ascending."""
    if not known:
        return pairs
    there = set(alive.tolist())
    alike = [pair for pair, is_copy in known.items() if is_copy and there.issuperset(pair)]
    left = {(later, earlier): difference for later, earlier, difference in pairs if (later, earlier) not in known}
    for later, earlier in alike:
        left[later, earlier] = float(_difference(thumbnails[[later]], thumbnails[[earlier]])[0])
    return [(*pair, left[pair]) for pair in sorted(left)]


def _copy(index: int, same: int, found: dict[int, tuple[int, float]], stays: np.ndarray) -> Copy:
    """The copy at ``index``: of what the first picture with the same pixels copies, or of that picture itself."""
    if same not in found or (same != index and stays[same]):
        return Copy(index, same, 0.0, is_exact=True)
    first, difference = found[same]
    while first in found and not stays[first]:  # a later pass found that it is a copy too
        first, difference = found[first]
    return Copy(index, first, difference, is_exact=False)


def _near_pairs(
    hashes: np.ndarray, thumbnails: np.ndarray, same_picture: float
) -> tuple[list[tuple[int, int, float]], bool]:
    """Pairs (later, earlier, difference) of near copies, in ascending order; and whether every candidate was compared.

    Pictures whose mean brightness differs by more than ``same_picture`` differ by more pixel by pixel too, so that only
    neighbours in brightness need be compared.
    """
    brightness = thumbnails.mean(axis=(1, 2, 3))
    order = np.argsort(brightness, kind="stable")
    complete, pairs = True, []
    for rows, columns, is_complete in _candidates(hashes[order], brightness[order], same_picture):
        complete &= is_complete
        for start in range(0, len(rows), PAIRS):
            first, second = order[rows[start : start + PAIRS]], order[columns[start : start + PAIRS]]
            difference = _difference(thumbnails[first], thumbnails[second])
            same = difference <= same_picture
            later, earlier = np.maximum(first, second)[same], np.minimum(first, second)[same]
            pairs += zip(later.tolist(), earlier.tolist(), difference[same].tolist(), strict=True)
    return sorted(pairs), complete


def _candidates(
    hashes: np.ndarray, brightness: np.ndarray, same_picture: float
) -> Iterator[tuple[np.ndarray, np.ndarray, bool]]:
    """Rows and columns, block by block, of pairs near in hash and brightness, which is ascending.

    The third tells whether no row of the block had more than ``CANDIDATES``; of those the nearest are taken.
    """
    ends = np.searchsorted(brightness, brightness + same_picture, side="right")
    for start in range(0, len(hashes), ROWS):
        stop = min(start + ROWS, len(hashes))
        distance = np.bitwise_count(hashes[start:stop, None] ^ hashes[start : ends[stop - 1]])
        rows, columns = np.nonzero(distance <= HASH_BITS)
        ahead = columns > rows
        rows, columns = rows[ahead], columns[ahead]
        crowded = bool(len(rows)) and np.bincount(rows).max() > CANDIDATES
        if crowded:
            by_distance = np.lexsort((columns, distance[rows, columns], rows))
            rows, columns = rows[by_distance], columns[by_distance]
            place = np.arange(len(rows)) - np.searchsorted(rows, rows)
            rows, columns = rows[place < CANDIDATES], columns[place < CANDIDATES]
        yield start + rows, start + columns, not crowded


def _difference(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The mean absolute difference (M,) of thumbnails (M, ...), uint8."""
    difference = np.maximum(first, second) - np.minimum(first, second)
    return difference.mean(axis=(1, 2, 3))
