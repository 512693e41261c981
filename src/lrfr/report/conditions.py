"""What another presentation of the test faces changes: figures as they are, under each condition, and the difference.

A condition is what :mod:`lrfr.protocols.conditions` says: aligned faces, or faces after a super-resolution network.
"""

from typing import Any, NamedTuple

from lrfr.report.blocks import Cell, Column, Figures, Row, Table, best_first, cell, known, value_at
from lrfr.report.numbers import p_value, signed_points


class Compared(NamedTuple):
    """A figure: its title, where it stands, and where its difference to the faces as they are does, if it is tested."""

    title: str
    path: tuple[str, ...]
    difference: tuple[str, ...] = ()


MEAN = ("keep_norm", "identification", "mean")  # over IJB's two galleries
AS_THEY_ARE = "as they are"
COMPARED = {  # by protocol
    "tinyface": [
        Compared(title, ("distractors", name), ("distractors", f"{name}_difference"))
        for name, title in {"rank1": "rank-1", "rank20": "rank-20", "rank50": "rank-50", "map": "mAP"}.items()
    ],
    "survface": [
        Compared("accuracy", ("verification", "accuracy"), ("verification", "accuracy_difference")),
        Compared("AUC, pairs", ("verification", "auc")),
        Compared("TPIR20 at FPIR 0.1", ("open_set", "tpir", "0.1")),
        Compared("AUC, open set", ("open_set", "auc")),
    ],
    "ijb": [
        Compared("rank-1", (*MEAN, "closed", "rank1"), ("keep_norm", "rank1_difference")),
        Compared("FNIR at FPIR 0.1", (*MEAN, "open", "fnir", "0.1")),
        Compared("TAR at FAR 0.01", ("keep_norm", "verification", "tar", "0.01")),
        Compared("TAR at FAR 0.001", ("keep_norm", "verification", "tar", "0.001")),
    ],
}  # fmt: skip


def under(figures: dict[str, Figures], conditions: dict[str, str]) -> dict[str, str]:
    """Those of the conditions (name -> title) that some method was tested under."""
    tested = {name for of in figures.values() for name in of.get("conditions", {})}
    return {name: title for name, title in conditions.items() if name in tested}


def conditions_table(
    protocol: str, figures: dict[str, Figures], conditions: dict[str, str], styles: dict[str, str], caption: str
) -> Table:
    """Each method on the faces as they are, the best first; below it, under each condition (name -> title)."""
    compared = COMPARED[protocol]
    plain = known([Column(one.title, one.path) for one in compared], list(figures.values()))
    told = [_under(of, name) for of in figures.values() for name in conditions]
    tested = [one for one in compared if one.difference]
    changes = known([column for one in tested for column in _change(one)], told)
    rows = []
    for method in best_first(figures, plain):
        of = figures[method]
        cells = [*(cell(of, column) for column in plain), *[Cell("")] * len(changes)]
        rows.append(Row(method, styles[method], cells, AS_THEY_ARE))
        for name, title in conditions.items():
            cells = [cell(_under(of, name), column) for column in (*plain, *changes)]
            rows.append(Row("", "", cells, title + _left(_under(of, name))))
    groups = [("", len(plain)), *([("Change from the faces as they are", len(changes))] if changes else [])]
    return Table(caption, groups, [column.title for column in (*plain, *changes)], rows)


def _under(figures: Figures, condition: str) -> Figures:
    """A method's figures under a condition; none where it was not tested under it."""
    return value_at(figures, ("conditions", condition)) or {}


def _left(under: Figures) -> str:
    """How many faces a condition's stage left as they are."""
    n_faces = under.get("n_unchanged", 0)
    return f" but for {n_faces:,} face{'s' * (n_faces > 1)}" if n_faces else ""


def _change(one: Compared) -> list[Column]:
    """The difference and its p-value."""
    return [
        Column(one.title, (*one.difference, "difference"), text=signed_points),
        Column("p", (*one.difference, "p_value"), text=p_value),
    ]


def test_sets(results_sets: dict[str, Any], conditions: dict[str, str]) -> list[str]:
    """The imported test sets that were tested under one of the conditions, in order."""
    return [name for name, of in results_sets.items() if of.protocol in COMPARED and under(of.figures, conditions)]
