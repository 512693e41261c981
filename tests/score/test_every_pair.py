"""Verification of every pair of a probe and a gallery row."""

import numpy as np
import pytest

from lrfr.core import every_pair, exhaustive_pairs
from lrfr.errors import EmbeddingError
from tests.score.files import closed_files, refused, score, scored, store


@pytest.fixture
def files(tmp_path):
    return closed_files(tmp_path)


def test_every_pair_is_what_its_scores_give(files, tmp_path):
    told = scored("verification", "--probe", files["--probe"], "--gallery", files["--gallery"])
    probe, gallery = (np.load(files[option]) for option in ("--probe", "--gallery"))
    unit = [of["embedding"] / np.linalg.norm(of["embedding"], axis=1, keepdims=True) for of in (probe, gallery)]
    pairs = store(
        tmp_path / "pairs.npz", score=(unit[0].astype(float) @ unit[1].T.astype(float)).ravel(),
        same=(probe["identity"][:, None] == gallery["identity"]).ravel(),
        identity_left=np.repeat(probe["identity"], len(gallery["identity"])),
    )  # fmt: skip
    expected = scored("verification", "--scores", pairs)
    for name in ("tar", "eer", "auc", "accuracy", "n_genuine", "n_impostor", "tar_interval"):
        assert told[name] == expected[name]
    assert (told["n_probe"], told["n_gallery"]) == (40, 70)


def test_of_one_file_every_two_rows_are_a_pair_once(files):
    told = scored("verification", "--probe", files["--probe"], "--gallery", files["--probe"])
    assert told["n_genuine"] == 20 and told["n_genuine"] + told["n_impostor"] == 40 * 39 // 2
    assert told["definition"]["pairs"] == "every two rows of the file, once"


def test_a_row_that_is_missing_misses_all_its_pairs(files):
    with np.load(files["--probe"]) as stored:
        store(files["--probe"], **dict(stored), missing=np.arange(40) < 2)
    told = scored("verification", "--probe", files["--probe"], "--gallery", files["--gallery"])
    assert told["n_missing"] == 2 * 70


@pytest.mark.parametrize(
    "options",
    [[], ["--probe"], ["--scores", "--probe"], ["--scores", "--probe", "--gallery"], ["--scores", "--metric"]],
)
def test_either_scores_or_both_files_are_given(files, options):
    given = {
        "--probe": files["--probe"],
        "--gallery": files["--gallery"],
        "--scores": files["--probe"],
        "--metric": "cosine",
    }
    result = score("verification", *[part for option in options for part in (option, given[option])])
    assert result.exit_code == 2 and "--scores" in result.stderr


def test_too_many_pairs_are_told_before_the_work(monkeypatch, files):
    monkeypatch.setattr(exhaustive_pairs, "MOST", 100)
    assert "2,800 pairs are too many" in refused(
        "verification", "--probe", files["--probe"], "--gallery", files["--gallery"]
    )


def test_a_probe_that_nobody_knows_is_refused():
    with pytest.raises(EmbeddingError, match="probe identities are negative"):
        every_pair(np.eye(2), np.array([-1, 0]), np.eye(2), np.array([0, 1]))
