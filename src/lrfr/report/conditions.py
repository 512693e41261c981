"""What a condition changes: figures of the faces as they are, under each condition, and the difference.

A condition is what :mod:`lrfr.protocols.conditions` says: the same faces after a super-resolution network.
"""

from typing import NamedTuple

from lrfr.report.blocks import Cell, Column, Figures, Row, Table, best_first, cell, known, value_at
from lrfr.report.numbers import p_value, signed_points
from lrfr.report.results import TestSet


class Compared(NamedTuple):
    """A figure: its title, where it stands, and where its difference to the faces as they are does, if it is tested."""

    title: str
    path: tuple[str, ...]
    difference: tuple[str, ...] = ()


AS_THEY_ARE = "as they are"
SUPER_RESOLVED = "super_resolved_"  # begins a condition's name; the network's follows
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
}  # fmt: skip


def conditions(figures: dict[str, Figures]) -> dict[str, str]:
    """The conditions that some run was tested under, each with its title."""
    names = dict.fromkeys(name for of in figures.values() for name in of.get("conditions", {}))
    return {name: f"after {name.removeprefix(SUPER_RESOLVED)}" for name in names}


def conditions_table(found: TestSet, styles: dict[str, str], caption: str) -> Table:
    """Each run on the faces as they are, the best first; below it, under each condition."""
    figures, tested = found.figures, conditions(found.figures)
    compared = COMPARED[found.protocol]
    plain = known([Column(one.title, one.path) for one in compared], list(figures.values()))
    told = [_under(of, name) for of in figures.values() for name in tested]
    changes = known([column for one in compared if one.difference for column in _change(one)], told)
    rows = []
    for run in best_first(figures, plain):
        of = figures[run]
        cells = [*(cell(of, column) for column in plain), *[Cell("")] * len(changes)]
        rows.append(Row(run, styles[run], cells, AS_THEY_ARE))
        for name, title in tested.items():
            cells = [cell(_under(of, name), column) for column in (*plain, *changes)]
            rows.append(Row("", "", cells, title + _left(_under(of, name))))
    groups = [("", len(plain)), *([("Change from the faces as they are", len(changes))] if changes else [])]
    return Table(caption, groups, [column.title for column in (*plain, *changes)], rows)


def _under(figures: Figures, condition: str) -> Figures:
    """A run's figures under a condition; none where it was not tested under it."""
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
