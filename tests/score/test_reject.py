import numpy as np
import pytest

from lrfr.core import reject
from tests.score.files import refused, score, scored, scored_pairs


@pytest.mark.parametrize("variant", ["fixed", "reestimated"])
def test_the_json_has_the_figures_of_the_function_of_that_name(tmp_path, variant):
    path = scored_pairs(tmp_path)
    told = scored("reject", "--scores", path, "--fmr", "1e-2", "--variant", variant)
    arrays = np.load(path)
    names = ("score", "same", "quality_left", "quality_right")
    figures = reject(*(arrays[name] for name in names), 0.01, variant).figures()
    assert {name: told[name] for name in figures} == figures
    assert len(told["ratio"]) == len(told["fnmr"]) == 96
    assert told["fnmr"][40] < told["fnmr"][0], "low quality is what makes the misses"


def test_an_fmr_below_what_the_pairs_resolve_is_null_and_said(tmp_path):
    path = scored_pairs(tmp_path)
    told = scored("reject", "--scores", path, "--fmr", "1e-4")
    assert told["pauc20"] is None
    assert set(told["fnmr"]) == {None}
    assert "not resolvable with 400 impostors" in score("reject", "--scores", path, "--fmr", "1e-4").stdout


def test_a_quality_that_is_not_there_or_no_number_is_refused(tmp_path):
    assert "'quality_left' is missing" in refused("reject", "--scores", scored_pairs(tmp_path, quality_left=None))
    nan = np.full(500, np.nan)
    assert "NaN" in refused("reject", "--scores", scored_pairs(tmp_path, quality_right=nan))
    assert "no error rate" in refused("reject", "--scores", scored_pairs(tmp_path), "--fmr", "0")
