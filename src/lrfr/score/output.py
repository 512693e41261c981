"""Where a score goes: a table on the terminal, a JSON file, and curves as drawings and as columns."""

import errno
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from rich import box
from rich import table as rich_table
from rich.console import Console

from lrfr.charts.standalone import standalone
from lrfr.errors import ResultError
from lrfr.files import check_writable, write_csv, write_json, write_text
from lrfr.score.outcome import Outcome, Plot, Table

STANDARD_OUTPUT = Path("-")


def check_places(json_file: Path | None, folder: Path | None) -> None:
    """Fails before the work, rather than after it, where nothing can be written.

    Raises:
        ResultError: the place is no folder, or this user may not write there.
    """
    if json_file is not None and json_file.is_dir():
        raise ResultError("a folder cannot hold the JSON", where=json_file, remedy="give --json the name of a file")
    if json_file is not None and json_file != STANDARD_OUTPUT:
        with _writing(json_file):
            check_writable(json_file)
    if folder is not None:
        with _writing(folder):
            check_writable(folder / "any")


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Shows on a terminal that work goes on."""
    with Console(stderr=True).status(what):
        yield


def deliver(outcome: Outcome, json_file: Path | None, folder: Path | None) -> None:
    """Writes the files, then prints the tables; with ``-`` as the JSON file, prints the JSON alone."""
    everything = outcome.figures | {"definition": outcome.definition, "notes": outcome.notes}
    if folder is not None:
        with _writing(folder):
            for plot in outcome.plots():
                write_text(folder / f"{plot.name}.svg", standalone(plot.chart, plot.title, plot.legend))
                write_csv(folder / f"{plot.name}.csv", list(plot.columns), _rows(plot))
    if json_file == STANDARD_OUTPUT:
        sys.stdout.write(json.dumps(everything, indent=2, sort_keys=True, allow_nan=False) + "\n")
        return
    if json_file is not None:
        with _writing(json_file):
            write_json(json_file, everything)
    console = Console(highlight=False)
    for table in outcome.tables:
        console.print(table.title, style="bold", markup=False)
        console.print(_drawn(table))
    for note in outcome.notes:
        console.print(f"note: {note}", markup=False, soft_wrap=True)
    for name, reading in outcome.definition.items():
        console.print(f"{name}: {reading}", markup=False)


def _drawn(table: Table) -> rich_table.Table:
    drawn = rich_table.Table(box=box.SIMPLE)
    for head in table.heads:
        drawn.add_column(head, overflow="fold")
    for row in table.rows:
        drawn.add_row(*row)
    return drawn


def _rows(plot: Plot) -> Iterator[list[str]]:
    """The points of a curve: shortest digits that read back the same, nothing where there is no value."""
    for row in zip(*(np.asarray(column).tolist() for column in plot.columns.values()), strict=True):
        yield ["" if value != value else repr(value) for value in row]


@contextmanager
def _writing(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        remedy = "give a place that you may write to"
        raise ResultError(f"cannot write: {error.strerror}", where=place, remedy=remedy) from error
