import numpy as np
import pytest

from lrfr.core import verification
from tests.score.files import refused, score, scored, scored_pairs, store


def test_the_json_has_the_figures_of_the_function_of_that_name(tmp_path):
    path = scored_pairs(tmp_path)
    told = scored("verification", "--scores", path, "--far", "1e-4,1e-2,0.1")
    pairs = np.load(path)
    figures = verification(pairs["score"], pairs["same"]).figures((1e-4, 0.01, 0.1))
    assert {name: told[name] for name in figures} == figures
    assert list(told["tar"]) == ["0.0001", "0.01", "0.1"]
    assert told["tar"]["0.0001"] is None
    assert told["threshold"]["0.0001"] is None
    assert told["not_resolvable"] == ["FAR 0.0001: not resolvable with 400 impostors"]


def test_the_table_says_what_is_not_resolvable(tmp_path):
    result = score("verification", "--scores", scored_pairs(tmp_path))
    assert "not resolvable with 400 impostors" in result.stdout
    assert "100 genuine and 400 impostor pairs" in result.stdout


def test_nearest_is_another_reading_and_said_to_be(tmp_path):
    path = store(tmp_path / "s.npz", score=np.array([3.0, 2, 2, 1]), same=np.array([True, False, True, False]))
    exact, nearest = (scored("verification", "--scores", path, "--far", "0.5", *more) for more in ((), ("--nearest",)))
    assert exact["method"] == "exact"
    assert nearest["method"] == "nearest"
    assert "insightface" in nearest["definition"]["tar"]


def test_intervals_are_over_identities_where_they_are_given(tmp_path):
    path = scored_pairs(tmp_path, identity_left=np.arange(500) % 50)
    told = scored("verification", "--scores", path)
    assert told["interval_over"] == "identities"
    assert "over identities" in told["definition"]["interval"]
    assert scored("verification", "--scores", scored_pairs(tmp_path))["interval_over"] == "pairs"


def test_genuine_pairs_may_be_marked_by_0_and_1(tmp_path):
    expected = scored("verification", "--scores", scored_pairs(tmp_path))
    marks = np.load(tmp_path / "scores.npz")["same"].astype(np.uint8)
    assert scored("verification", "--scores", scored_pairs(tmp_path, same=marks)) == expected


def test_pairs_without_a_face_are_counted(tmp_path):
    value = np.load(scored_pairs(tmp_path))["score"].copy()
    value[:25] = -np.inf
    told = scored("verification", "--scores", scored_pairs(tmp_path, score=value))
    assert told["n_missing"] == 25
    assert "25 pairs lack a face" in told["notes"][0]


@pytest.mark.parametrize(
    ("replaced", "says"),
    [
        ({"score": np.full(500, np.nan)}, "NaN"),
        ({"score": np.full(500, np.inf)}, "plus infinity"),
        ({"score": np.full(500, "high")}, "real numbers (N,) are needed"),
        ({"same": np.ones(500, bool)}, "impostor"),
        ({"same": np.zeros(500, bool)}, "genuine"),
        ({"same": np.arange(500) % 3}, "neither bool nor whole numbers 0 and 1"),
        ({"same": np.arange(500) % 2 * 1.0}, "bool (N,) are needed"),
        ({"same": np.ones((500, 1), bool)}, "store same as bool of the shape (N,)"),
        ({"same": None}, "'same' is missing"),
    ],
)
def test_scores_that_cannot_be_read_are_refused(tmp_path, replaced, says):
    assert says in refused("verification", "--scores", scored_pairs(tmp_path, **replaced))


def test_a_rate_that_is_none_is_refused(tmp_path):
    assert "'2' is no error rate" in refused("verification", "--scores", scored_pairs(tmp_path), "--far", "1e-3,2")
