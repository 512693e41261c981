"""What a section of the report is built of; the template lays each kind out in one way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from markupsafe import Markup

from lrfr.report.numbers import interval, percent
from lrfr.report.sheets import Row as SheetRow

Figures = dict[str, Any]  # of one run, as evaluate wrote them


@dataclass(frozen=True)
class Cell:
    """A figure and its interval, as text; both empty where there is none."""

    value: str
    interval: str = ""


@dataclass(frozen=True)
class Row:
    """One line of a table, a run's with its style in the charts; the style is empty where it has none."""

    label: str
    style: str
    cells: list[Cell]
    note: str = ""


@dataclass(frozen=True)
class Column:
    """A column of figures: its title, the keys that lead to the figure, the group that it stands in, and how the
    figure is written."""

    title: str
    path: tuple[str, ...]
    group: str = ""
    text: Callable[[float], str] = percent


@dataclass(frozen=True)
class Table:
    """A table of runs, or of another ``subject``; ``groups`` are (title, columns) above the columns' titles."""

    kind: ClassVar[str] = "table"
    caption: str
    groups: list[tuple[str, int]]
    titles: list[str]
    rows: list[Row]
    subject: str = "Run"

    @property
    def first(self) -> list[int]:
        """The columns with which a group begins."""
        return [sum(size for _, size in self.groups[:number]) for number in range(len(self.groups))]


@dataclass(frozen=True)
class Panel:
    """A chart with its heading."""

    title: str
    chart: Markup


@dataclass(frozen=True)
class Charts:
    """Charts side by side, under one legend of (label, style)."""

    kind: ClassVar[str] = "charts"
    title: str
    panels: list[Panel]
    caption: str
    legend: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Sheet:
    """Faces in rows, each labelled by its ``subject``, under one title for each column."""

    kind: ClassVar[str] = "sheet"
    title: str
    caption: str
    columns: list[str]
    rows: list[SheetRow]
    subject: str = "Identity"


@dataclass(frozen=True)
class Note:
    """A paragraph in small print."""

    kind: ClassVar[str] = "note"
    text: str


@dataclass(frozen=True)
class Section:
    """A protocol's part of the report, under its anchor; the lead begins the section."""

    anchor: str
    title: str
    lead: str
    blocks: Sequence[Table | Charts | Sheet | Note]


def table(
    figures: dict[str, Figures], styles: dict[str, str], columns: list[Column], caption: str, ascending: bool = False
) -> Table:
    """One row for each run, the best in the first column first; columns that are null for every run are left out.

    Args:
        figures: run -> figures.
        styles: run -> class of the style sheet.
        columns: what to show.
        caption: above the table.
        ascending: whether a lower figure is the better one.
    """
    columns = known(columns, list(figures.values()))
    rows = [
        Row(run, styles[run], [cell(figures[run], column) for column in columns])
        for run in best_first(figures, columns, ascending)
    ]
    groups: list[tuple[str, int]] = []
    for column in columns:
        same = groups and groups[-1][0] == column.group
        groups = [*groups[:-1], (column.group, groups[-1][1] + 1)] if same else [*groups, (column.group, 1)]
    return Table(caption, groups, [column.title for column in columns], rows)


def known(columns: list[Column], figures: list[Figures]) -> list[Column]:
    """The columns that are not null in all of the figures."""
    return [column for column in columns if any(value_at(of, column.path) is not None for of in figures)]


def best_first(figures: dict[str, Figures], columns: list[Column], ascending: bool = False) -> list[str]:
    """The runs, best in the first column first; without a column there is none."""
    sign = 1 if ascending else -1
    leading = {run: value_at(of, columns[0].path) for run, of in figures.items()} if columns else {}
    return sorted(leading, key=lambda run: (leading[run] is None, sign * (leading[run] or 0.0), run))


def value_at(figures: Figures, path: tuple[str, ...]) -> Any:
    """The figure that a path of keys leads to; None where a key is missing."""
    found: Any = figures
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def cell(figures: Figures, column: Column) -> Cell:
    """A figure and its interval, which stands beside it (rank1_interval) or beside its parent (tar_interval)."""
    value = value_at(figures, column.path)
    if value is None:
        return Cell("–")
    *above, last = column.path
    ends = value_at(figures, (*above, f"{last}_interval"))
    if ends is None and above:
        ends = value_at(figures, (*above[:-1], f"{above[-1]}_interval", last))
    return Cell(column.text(value), interval(*map(column.text, ends)) if ends else "")
