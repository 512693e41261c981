import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfr.core import duplicates
from lrfr.core.duplicates import CANDIDATES, HASH_BITS, SAME_PICTURE, find_copies


def flat(*values: int) -> np.ndarray:
    return np.stack([np.full((16, 16, 3), value, np.uint8) for value in values])


def found(hashes, thumbnails, digests=None, stays=None) -> dict[int, int]:
    count = len(hashes)
    digests = np.arange(count, dtype=np.uint64) if digests is None else np.array(digests, np.uint64)
    stays = np.zeros(count, bool) if stays is None else np.array(stays, bool)
    copies = find_copies(digests, np.array(hashes, np.uint64), thumbnails, stays)
    return {copy.copy: copy.first for copy in copies}


def one_by_one(hashes, thumbnails, stays) -> dict[int, int]:
    """The definition: each picture against every earlier one that is kept."""
    copies: dict[int, int] = {}
    for later in range(len(hashes)):
        for earlier in range(later):
            near = (int(hashes[earlier]) ^ int(hashes[later])).bit_count() <= HASH_BITS
            difference = np.abs(thumbnails[earlier].astype(float) - thumbnails[later]).mean()
            if near and difference <= SAME_PICTURE and (earlier not in copies or stays[earlier]):
                copies[later] = earlier
                break
    return copies


def test_a_copy_needs_both_a_near_hash_and_near_pixels():
    assert found([0, 0, 0b11, 2**64 - 1], flat(0, 255, 3, 0)) == {2: 0}


def test_copies_do_not_drift_along_a_chain():
    assert found([0, 0, 0, 0], flat(0, 5, 10, 15)) == {1: 0, 3: 2}


def test_what_stays_is_compared_with_although_it_is_a_copy():
    assert found([0, 0, 0], flat(0, 5, 10), stays=[True, True, False]) == {1: 0, 2: 1}
    assert found([0, 0, 0], flat(0, 5, 10), stays=[True, False, False]) == {1: 0}


def test_equal_pixels_are_exact_copies_of_what_stays():
    copies = find_copies(
        np.array([7, 8, 8, 7, 8], np.uint64), np.zeros(5, np.uint64), flat(0, 2, 2, 0, 2), np.zeros(5, bool)
    )
    assert [(copy.copy, copy.first, copy.difference, copy.is_exact) for copy in copies] == [
        (1, 0, 2.0, False),
        (2, 0, 2.0, False),
        (3, 0, 0.0, True),
        (4, 0, 2.0, False),
    ]


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 24), st.integers(0, 8))
def test_it_finds_what_comparing_all_with_all_finds(seed, count, staying):
    rng = np.random.default_rng(seed)
    seen = rng.integers(0, 5, count)
    thumbnails = rng.integers(0, 40, (5, 16, 16, 3))[seen] + rng.integers(0, 14, (count, 16, 16, 3)) % 13
    hashes = rng.integers(0, 2**60, 5)[seen] ^ (1 << rng.integers(0, 50, count))
    stays = np.arange(count) < staying
    assert found(hashes, thumbnails.astype(np.uint8), stays=stays) == one_by_one(hashes, thumbnails, stays)


def test_many_that_look_alike_are_found_in_several_passes():
    rng = np.random.default_rng(0)
    crowd = np.clip(100 + rng.integers(-3, 4, (8 * CANDIDATES, 16, 16, 3)), 0, 255).astype(np.uint8)
    assert len(found([0] * len(crowd), crowd)) == len(crowd) - 1


def test_a_crowd_that_differs_costs_no_more_comparisons_than_stated(monkeypatch):
    compared = []
    difference = duplicates._difference
    monkeypatch.setattr(duplicates, "_difference", lambda a, b: compared.append(len(a)) or difference(a, b))
    crowd = np.random.default_rng(0).integers(0, 255, (500, 16, 16, 3), dtype=np.uint8)
    assert found([0] * len(crowd), crowd) == {}
    assert sum(compared) <= len(crowd) * CANDIDATES


@pytest.mark.parametrize("count", [0, 1])
def test_there_may_be_nothing_to_compare(count):
    assert found([0] * count, np.zeros((count, 16, 16, 3), np.uint8)) == {}


def test_the_threshold_says_what_is_one_picture():
    thumbnails, nobody = flat(0, 5, 11), np.zeros(3, bool)
    ids, hashes = np.arange(3, dtype=np.uint64), np.zeros(3, np.uint64)
    pairs = [
        [(copy.copy, copy.first) for copy in find_copies(ids, hashes, thumbnails, nobody, most)] for most in (4, 6, 20)
    ]
    assert pairs == [[], [(1, 0)], [(1, 0), (2, 0)]]


def test_people_know_better_than_the_threshold():
    ids, hashes, nobody = (
        np.array([1, 2, 3, 3], np.uint64),
        np.array([0, 0, 2**64 - 1, 0], np.uint64),
        np.zeros(4, bool),
    )
    thumbnails = flat(0, 5, 200, 200)
    known = {(1, 0): False, (3, 0): True}  # the last one is the third once more, pixel by pixel
    copies = find_copies(ids, hashes, thumbnails, nobody, 6.0, known)
    assert [(copy.copy, copy.first, copy.is_exact) for copy in copies] == [(2, 0, False), (3, 0, False)]
