import numpy as np
import pytest

from lrfr.core import better, closed_set
from tests.score.files import closed_files, faces, refused, score, scored, store


@pytest.fixture
def files(tmp_path):
    """A sees clearer than B."""
    paths = closed_files(tmp_path)
    clear = store(tmp_path / "clear.npz", embedding=faces(np.repeat(np.arange(20), 2), 1, noise=0.3),
                  identity=np.repeat(np.arange(20), 2))  # fmt: skip
    sides = {"--probe-a": clear, "--probe-b": paths["--probe"]}
    return sides | {"--gallery-a": paths["--gallery"], "--gallery-b": paths["--gallery"]}


def test_difference_interval_and_p_are_those_of_the_paired_test(files):
    told = scored("compare", *[part for pair in files.items() for part in pair])
    a, b, gallery = (dict(np.load(files[name])) for name in ("--probe-a", "--probe-b", "--gallery-a"))
    ranks = [closed_set(*of.values(), *gallery.values()).rank <= 1 for of in (a, b)]
    figures = better(*(rank.astype(float) for rank in ranks), a["identity"]).figures()
    assert {name: told["rank1"][name] for name in figures} == figures
    assert told["rank1"]["difference"] == pytest.approx(told["rank1"]["a"] - told["rank1"]["b"], abs=2e-6)
    assert told["map"]["p_value"] < 0.05
    assert "two-sided" in told["definition"]["p_value"]


def test_the_table_has_both_sides(files):
    result = score("compare", *[part for pair in files.items() for part in pair])
    assert result.exit_code == 0
    assert "A - B" in result.stdout


def test_a_model_against_itself_is_no_better(files):
    told = scored("compare", *[part for pair in (files | {"--probe-a": files["--probe-b"]}).items() for part in pair])
    assert told["rank1"]["difference"] == 0
    assert told["rank1"]["p_value"] == 1


@pytest.mark.parametrize("rows", [np.arange(39), np.r_[1:40, 0]])
def test_other_probes_are_refused(files, tmp_path, rows):
    arrays = np.load(files["--probe-b"])
    other = store(tmp_path / "other.npz", **{name: arrays[name][rows] for name in arrays.files})
    message = refused("compare", *[part for pair in (files | {"--probe-b": other}).items() for part in pair])
    assert "same" in message
