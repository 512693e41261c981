"""summary: what `dvc metrics show` prints."""

import pytest

from lrfr import paths
from lrfr.errors import ResultError
from lrfr.files import read_json, write_json
from lrfr.stages import summary
from tests.face_tables import write_params

FIGURES = {"rank1": 0.5, "rank20": 0.75, "map": 0.25, "n_probe": 3}


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_params()
    for run in ("random", "pretrained", "baseline", "csri"):
        write_json(paths.metrics(run), {"sets": {"benchmark": {"distractors": FIGURES}}})


def test_each_run_has_a_row_of_few_figures():
    summary.run()
    row = {name: FIGURES[name] for name in ("rank1", "rank20", "map")}
    assert read_json(paths.SUMMARY) == dict.fromkeys(["random", "pretrained", "baseline", "csri"], row)


def test_a_run_without_figures_is_named():
    write_json(paths.metrics("csri"), {"sets": {}})
    with pytest.raises(ResultError, match=r"figures on the benchmark are missing(.|\n)*csri\.json(.|\n)*evaluate csri"):
        summary.run()
