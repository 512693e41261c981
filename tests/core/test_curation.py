import numpy as np
import pytest

from lrfr.core.curation import find_copies, size_reason, verdict_reasons
from lrfr.core.verdicts import Outcome


@pytest.mark.parametrize(
    ("width", "height", "max_side", "reason"),
    [
        (32, 32, 32, None),
        (33, 20, 32, "too_large"),
        (20, 33, 32, "too_large"),
        (3, 20, 32, "corrupt"),
        (99, 99, None, None),
    ],
)
def test_size_rules(width, height, max_side, reason):
    assert size_reason(width, height, max_side) == reason


def test_a_copy_needs_both_a_near_hash_and_near_pixels():
    black, white = np.zeros((16, 16, 3), np.uint8), np.full((16, 16, 3), 255, np.uint8)
    grey = np.full((16, 16, 3), 3, np.uint8)
    thumbnails = np.stack([black, white, grey, black])
    hashes = np.array([0, 0, 0b11, 2**64 - 1], np.uint64)
    assert find_copies(hashes, thumbnails) == {2: 0}


def test_copies_do_not_drift_along_a_chain():
    thumbnails = np.stack([np.full((16, 16, 3), value, np.uint8) for value in (0, 5, 10, 15)])
    assert find_copies(np.zeros(4, np.uint64), thumbnails) == {1: 0, 3: 2}


def test_verdicts_rule_faces_out():
    outcomes = {
        "a": Outcome("face", False),
        "b": Outcome("not_face", True),
        "c": Outcome("unrecognizable", False),
        "d": Outcome(None, False),
    }
    reasons = {"b": "not_face", "c": "unrecognizable", "d": "unverified"}
    assert verdict_reasons("abcde", outcomes, keep_unverified=True) == reasons
    assert verdict_reasons("abcde", outcomes, keep_unverified=False) == reasons | {"e": "unverified"}
