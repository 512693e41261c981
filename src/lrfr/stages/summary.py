"""summary: a few figures of each run, which fit a terminal; metrics/runs has all of them."""

from typing import Any

from lrfr import paths
from lrfr.config import read_params
from lrfr.errors import ResultError
from lrfr.files import read_json, write_json

HEADLINES = ("rank1", "rank20", "map")  # on the benchmark, with distractors


def run() -> None:
    """Writes metrics/summary.json, which `dvc metrics show` and `dvc exp show` print.

    Raises:
        ResultError: a run was not evaluated, or has no figures on the benchmark.
    """
    write_json(paths.SUMMARY, {name: _headlines(name) for name in read_params().methods})


def _headlines(run: str) -> dict[str, Any]:
    found = read_json(paths.metrics(run), f"lrfr evaluate {run}")
    try:
        figures = found["sets"]["benchmark"]["distractors"]
        return {name: figures[name] for name in HEADLINES}
    except (KeyError, TypeError) as error:
        what = "figures on the benchmark are missing"
        raise ResultError(what, where=paths.metrics(run), remedy=f"run again: lrfr evaluate {run}") from error
