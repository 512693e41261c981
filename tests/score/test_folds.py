import numpy as np
import pytest

from lrfr.core import folds
from tests.score.files import faces, refused, scored, store


def pairs(folder, count=200, **replaced):
    who = np.arange(count) % 100
    same = np.arange(count) % 2 == 0
    arrays = {"left": faces(who, 1), "right": faces(np.where(same, who, (who + 1) % 100), 2), "same": same}
    return store(folder / "pairs.npz", **(arrays | replaced))


def test_the_json_has_the_figures_of_the_function_of_that_name(tmp_path):
    path = pairs(tmp_path)
    told = scored("folds", "--pairs", path)
    figures = folds(**np.load(path)).figures()
    assert {name: told[name] for name in figures} == figures
    assert len(told["per_fold"]) == 10
    assert told["accuracy"] == pytest.approx(np.mean(told["per_fold"]), abs=1e-6)
    assert told["accuracy_std"] == pytest.approx(np.std(told["per_fold"]), abs=1e-6)


def test_insightfaces_grid_is_another_reading(tmp_path):
    told = scored("folds", "--pairs", pairs(tmp_path), "--thresholds", "grid")
    assert told["thresholds"] == "grid"
    assert "insightface" in told["definition"]["thresholds"]
    assert "grid" in refused("folds", "--pairs", pairs(tmp_path), "--thresholds", "grid", "--metric", "euclidean")


def test_folds_and_faces_that_are_missing_are_taken_from_the_file(tmp_path):
    path = pairs(tmp_path, fold=np.arange(200) % 4, missing=np.arange(200) < 3)
    told = scored("folds", "--pairs", path, "--plots", tmp_path)
    assert len(told["per_fold"]) == 4
    assert told["definition"]["folds"] == "as given"
    assert (tmp_path / "roc.svg").is_file()


def test_a_threshold_that_accepts_no_pair_is_null(tmp_path):
    right = np.load(pairs(tmp_path))["left"].copy()
    same = np.arange(200) % 4 == 0
    right[same] *= -1  # genuine pairs are the least alike, and most pairs are impostors
    told = scored("folds", "--pairs", pairs(tmp_path, right=right, same=same))
    assert told["threshold_per_fold"] == [None] * 10


def test_pairs_that_stand_twice_are_told_of(tmp_path):
    path = pairs(tmp_path)
    arrays = dict(np.load(path))
    arrays["right"][4] = arrays["left"][4]
    twice = {name: np.concatenate([of, of[:2]]) for name, of in arrays.items()}
    assert scored("folds", "--pairs", store(path, **twice))["duplicates"] == {"pairs": 2, "left_is_right": 1}


@pytest.mark.parametrize(
    ("count", "replaced", "says"),
    [
        (9, {}, "9 pairs do not make 10 folds"),
        (200, {"right": np.ones((200, 5))}, "widths differ"),
        (200, {"right": np.ones((199, 16))}, "differ in length"),
        (200, {"right": np.zeros((200, 16))}, "zero"),
        (200, {"left": np.full((200, 16), np.nan)}, "not finite"),
        (200, {"same": np.ones(200, bool)}, "impostor"),
    ],
)
def test_pairs_that_cannot_be_judged_are_refused(tmp_path, count, replaced, says):
    assert says in refused("folds", "--pairs", pairs(tmp_path, count, **replaced))
