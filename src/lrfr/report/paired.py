"""Which run is better than which: paired tests on the same probes of the benchmark."""

import numpy as np

from lrfr import paths
from lrfr.core.significance import better
from lrfr.errors import ResultError
from lrfr.report.blocks import Cell, Row, Table
from lrfr.report.numbers import interval, p_value, signed_points
from lrfr.report.results import Results

CAPTION = (
    "Differences in percentage points with distractors, 95 % bootstrap intervals below, and the p-value of a sign-flip "
    "permutation test over identities: the smaller, the less chance alone explains the difference."
)


def paired_table(results: Results, styles: dict[str, str]) -> Table:
    """Every run against the best of the others and against untrained weights, in rank-1 and in mAP.

    Raises:
        ResultError: two runs were evaluated on different probes.
    """
    _check_probes(results)
    order, floor = results.by_rank1(), results.floor()
    rivals = {"against the best other": None} | ({"against untrained weights": floor} if floor else {})
    rows = []
    for run in order:
        best = next((other for other in order if other != run), None)
        cells = [cell for rival in rivals.values() for cell in _against(results, run, rival or best)]
        rows.append(Row(run, styles[run], cells))
    return Table(CAPTION, [(title, 4) for title in rivals], ["rank-1", "p", "mAP", "p"] * len(rivals), rows)


def _against(results: Results, run: str, rival: str | None) -> list[Cell]:
    """Difference and p-value of rank-1, then of mAP; nothing against nobody or oneself."""
    if rival is None or rival == run:
        return [Cell("–")] * 4
    ours, theirs, cells = results.probes[run], results.probes[rival], []
    for a, b in (
        (ours["rank"] == 1, theirs["rank"] == 1),
        (ours["average_precision"], theirs["average_precision"]),
    ):
        compared = better(a.astype(float), b.astype(float), ours["identity"], seed=results.params.seed)
        ends = interval(*map(signed_points, compared.interval)) if compared.interval else ""
        cells += [Cell(signed_points(compared.difference), ends), Cell(p_value(compared.p_value))]
    return cells


def _check_probes(results: Results) -> None:
    (first, known), *others = results.probes.items()
    for run, probes in others:
        if not np.array_equal(known["face_id"], probes["face_id"]):
            what = f"{first} and {run} were evaluated on different probes"
            raise ResultError(what, where=paths.evaluated(run), remedy="dvc repro")
