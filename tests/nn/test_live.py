import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from lrfr.nn.training import live
from lrfr.nn.training.live import LiveCurves


@pytest.fixture(autouse=True)
def at_once(monkeypatch, tmp_path):
    monkeypatch.setattr(live, "SECONDS_BETWEEN_LINES", 0.0)
    monkeypatch.chdir(tmp_path)


def steps(folder, name):
    header, *rows = (folder / "plots/metrics" / f"{name}.tsv").read_text().splitlines()
    assert header == f"step\t{name}"
    return [int(row.split("\t")[0]) for row in rows]


def test_values_can_be_followed_and_read_at_a_glance(tmp_path):
    curves = LiveCurves(tmp_path / "live", 0)
    for step in (1, 2, 3):
        curves.update(step, {"classification": 1 / step, "learning_rate": 0.1})
    curves.show(3, {"validation_classification": 0.5})
    assert steps(tmp_path / "live", "classification") == [1, 2, 3]
    latest = json.loads((tmp_path / "live/metrics.json").read_text())
    assert latest["classification"] == pytest.approx(1 / 3)
    assert latest["validation_classification"] == 0.5
    assert latest["updates_per_second"] > 0


def test_taken_up_they_forget_what_is_made_again(tmp_path):
    first = LiveCurves(tmp_path / "live", 0)
    for step in range(1, 6):
        first.update(step, {"loss": 1.0})
    again = LiveCurves(tmp_path / "live", 3)
    for step in range(4, 7):
        again.update(step, {"loss": 1.0})
    assert steps(tmp_path / "live", "loss") == [1, 2, 3, 4, 5, 6]


def test_another_training_begins_anew(tmp_path):
    LiveCurves(tmp_path / "live", 0).update(1, {"former": 1.0})
    LiveCurves(tmp_path / "live", 0).update(1, {"loss": 1.0})
    assert not (tmp_path / "live/plots/metrics/former.tsv").exists()


def test_neither_git_nor_dvc_hears_of_it(tmp_path, git):
    subprocess.run([git, "init", "--quiet", "."], check=True)
    LiveCurves(tmp_path / "live", 0).update(1, {"loss": float("nan")})
    made = {path.name for path in Path().iterdir()}
    assert made == {".git", "live"}
    assert not list(Path("live").rglob("dvc.yaml"))


def test_a_folder_that_cannot_be_written_costs_the_curves_and_not_the_training(tmp_path):
    (tmp_path / "live").write_text("a file is in the way")
    with pytest.warns(UserWarning, match="the training goes on without"):
        curves = LiveCurves(tmp_path / "live", 0)
    curves.update(1, {"loss": 1.0})


def test_lines_are_spared_where_updates_are_fast(tmp_path, monkeypatch):
    monkeypatch.setattr(live, "SECONDS_BETWEEN_LINES", 3600.0)
    curves = LiveCurves(tmp_path / "live", 0)
    for step in range(1, 100):
        curves.update(step, {"loss": 1.0})
    assert not list((tmp_path / "live").rglob("*.tsv"))


def test_pictures_are_kept_by_their_update_and_those_made_again_go(tmp_path):
    first = LiveCurves(tmp_path / "live", 0)
    for step in (4, 8):
        first.picture(step, np.full((2, 3, 3), step, np.uint8))
    assert [path.name for path in sorted((tmp_path / "live/sheets").glob("*"))] == ["00000004.png", "00000008.png"]
    LiveCurves(tmp_path / "live", 5)
    assert [path.name for path in sorted((tmp_path / "live/sheets").glob("*"))] == ["00000004.png"]
