"""Long lists in text files, read as columns by pyarrow: 15.7 million lines in seconds."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from lrfr.core.normal_names import normal_name
from lrfr.errors import SourceError

REMEDY = "get the file from its publisher again"


def read_columns(path: Path, columns: Mapping[str, pa.DataType], delimiter: str) -> pa.Table:
    """Reads the first columns of a list that is published without a line of names; further ones are passed over.

    Args:
        path: the file.
        columns: what the first columns are called here, and their types; text is names, in their normal form.
        delimiter: what stands between two columns.

    Raises:
        SourceError: the file is empty, has too few columns, or a line does not fit or lacks a name.
    """
    first = _first_line(path, delimiter)
    if len(first) < len(columns):
        what = f"the first line has {len(first)} columns, not {len(columns)}: {', '.join(columns)}"
        raise SourceError(what, where=path, remedy=REMEDY)
    unused = (f"unused_{number}" for number in range(len(first) - len(columns)))
    return _read(path, [*columns, *unused], columns, delimiter, skipped=0)


def read_named_columns(path: Path, columns: Mapping[str, str], delimiter: str) -> pa.Table:
    """Reads columns of names by what the first line calls them, wherever they stand; others are passed over.

    Args:
        path: the file.
        columns: what the file calls each column, in upper or lower case, by what it is called here.
        delimiter: what stands between two columns.

    Raises:
        SourceError: the first line does not name these columns, each once; or a line does not fit or lacks a name.
    """
    first = [cell.strip().lower() for cell in _first_line(path, delimiter)]
    wanted = {name.lower(): here for here, name in columns.items()}
    if sorted(cell for cell in first if cell in wanted) != sorted(wanted):
        what = f"the first line does not name the columns {', '.join(columns.values())}: {', '.join(first)}"
        raise SourceError(what, where=path, remedy="write a first line with each of these names above its column")
    names = [wanted.get(cell, f"unused_{number}") for number, cell in enumerate(first)]
    return _read(path, names, dict.fromkeys(columns, pa.string()), delimiter, skipped=1)


def _first_line(path: Path, delimiter: str) -> list[str]:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        return file.readline().rstrip("\r\n").split(delimiter)


def _read(
    path: Path, names: Sequence[str], columns: Mapping[str, pa.DataType], delimiter: str, skipped: int
) -> pa.Table:
    """The ``columns`` among the ``names`` of all, below ``skipped`` lines."""
    try:
        table = csv.read_csv(
            path,
            csv.ReadOptions(column_names=names, skip_rows=skipped),
            csv.ParseOptions(delimiter=delimiter, quote_char=False),
            csv.ConvertOptions(column_types=dict(columns), include_columns=list(columns), null_values=[]),
        )
    except (pa.ArrowInvalid, OSError) as error:
        raise SourceError(f"a line does not fit: {error}", where=path, remedy=REMEDY) from error
    for place, (name, kind) in enumerate(columns.items()):
        if kind == pa.string():
            table = table.set_column(place, name, _normal(table[name], name, path))
    return table


def _normal(column: pa.ChunkedArray, name: str, path: Path) -> pa.Array:
    """A column of names in their normal form."""
    encoded = column.combine_chunks().dictionary_encode()
    try:
        names = [normal_name(value) for value in encoded.dictionary.to_pylist()]
    except ValueError as error:
        raise SourceError(f"a line is not right: the {name} {error}", where=path, remedy=REMEDY) from error
    if None in names:
        raise SourceError(f"a line has no {name}", where=path, remedy=REMEDY)
    return pc.take(pa.array(names, pa.string()), encoded.indices)
