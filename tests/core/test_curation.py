import numpy as np
import pytest

from lrfr.core.curation import AUXILIARY, BENCHMARK, TESTED, TRAIN, copy_reason, size_reasons, verdict_reasons
from lrfr.core.verdicts import Outcome


def test_size_rules():
    width, height = np.array([32, 33, 20, 3, 99]), np.array([32, 20, 33, 20, 3])
    assert size_reasons(width, height, 32).tolist() == [None, "too_large", "too_large", "too_small", "too_small"]
    assert size_reasons(width, height, None).tolist() == [None, None, None, "too_small", "too_small"]


@pytest.mark.parametrize(
    ("copy", "first", "reason"),
    [
        (TRAIN, TESTED, "leaked"),
        (AUXILIARY, TESTED, "leaked"),
        (BENCHMARK, TESTED, "leaked"),
        (AUXILIARY, BENCHMARK, "leaked"),
        (TESTED, TESTED, "duplicate"),
        (BENCHMARK, BENCHMARK, "duplicate"),
        (AUXILIARY, TRAIN, "duplicate"),
        (AUXILIARY, AUXILIARY, "duplicate"),
    ],
)
def test_a_copy_leaks_from_test_into_training(copy, first, reason):
    assert copy_reason(copy, first) == reason


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
