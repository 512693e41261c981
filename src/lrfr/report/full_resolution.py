"""What is forgotten: each run's figures on faces at full resolution, beside those of the backbone that it started from.

A network that is fine-tuned on tiny faces may lose what it knew of sharp ones (PETALface, WACV 2025). The backbone's
figures are those of a run of the method ``pretrained``.
"""

from typing import Any

from lrfr.report.blocks import Column, Figures, Note, Section, Table, table, value_at
from lrfr.report.numbers import signed_points
from lrfr.report.results import Results, Run, TestSet

AS_IT_CAME = "pretrained"  # the method that tests a backbone as it is
FIGURES = {  # by protocol, of the test sets whose faces nobody made small: title and path
    "folds": {"accuracy": ("accuracy",)},
    "ijb": {
        "TAR at FAR 0.001": ("keep_norm", "verification", "tar", "0.001"),
        "TAR at FAR 0.1": ("keep_norm", "verification", "tar", "0.1"),
        "rank-1": ("keep_norm", "identification", "mean", "closed", "rank1"),
    },
}


def section(results: Results, styles: dict[str, str]) -> Section:
    """A table for each such test set: the backbone, the run, and the change."""
    tables: list[Table | Note] = [
        _table(name, found, results.runs, styles)
        for name, found in results.sets.items()
        if found.protocol in FIGURES and found.figures
    ]
    return Section(
        "full-resolution",
        "Full resolution, before and after",
        "What training on low resolution costs at full resolution: the backbone that a run started from, and the run. "
        "Where no run of the method 'pretrained' has that backbone, only the figures after training are known.",
        tables or [Note("No test set has faces at full resolution.")],
    )


def _table(name: str, found: TestSet, runs: dict[str, Run], styles: dict[str, str]) -> Table:
    figures = FIGURES[found.protocol]
    beside = {run: _beside(run, found, runs) for run in found.figures}
    columns = [
        column
        for title, path in figures.items()
        for column in (
            Column("run", ("after", *path), title),
            Column("backbone", ("before", *path), title),
            Column("change", ("change", title), title, text=signed_points),
        )
    ]
    return table(beside, styles, columns, f"Test set {name}: percent, intervals below; changes in percentage points.")


def _beside(run: str, found: TestSet, runs: dict[str, Run]) -> Figures:
    """A run's figures, its backbone's, and the changes."""
    after = found.figures[run]
    before = _before(run, found, runs)
    change: dict[str, Any] = {}
    for title, path in FIGURES[found.protocol].items():
        ends = value_at(before, path), value_at(after, path)
        change[title] = None if None in ends else ends[1] - ends[0]
    return {"after": after, "before": before, "change": change}


def _before(run: str, found: TestSet, runs: dict[str, Run]) -> Figures:
    """The figures of the backbone that a run started from; none where they are not known, or are the run's own."""
    chosen = runs[run]
    if chosen.method == AS_IT_CAME:
        return {}
    for name, other in runs.items():
        learnt = list(other.trained)
        is_backbone = other.method == AS_IT_CAME and other.backbone == chosen.backbone
        # Else it has a network of its own
        if is_backbone and chosen.trained and list(chosen.trained[: len(learnt)]) == learnt:
            return found.figures[name]
    return {}
