"""Atomic writing: a file is either the old one or the whole new one, also after a crash or a full disk."""

import csv
import json
import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from lrfr.errors import ResultError


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside ``path``; what was written there takes its place when the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Writes JSON atomically, with sorted keys, so that equal values give equal bytes; NaN is refused."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n")


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Writes a table as CSV atomically, a line feed after each row.

    Args:
        path: the file.
        header: the columns' names.
        rows: the cells of each row. A float is rounded to six significant digits; None and NaN leave the cell blank;
            anything else is written as it is, so that a caller that wants other digits hands over text.
    """
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([_cell(value) for value in row] for row in rows)


def _cell(value: object) -> object:
    """What stands for a value in a CSV file; numpy's numbers are Real and Integral too."""
    if isinstance(value, Real) and not isinstance(value, Integral):
        return "" if math.isnan(value) else float(f"{float(value):.6g}")
    return "" if value is None else value


def parse_json(text: str) -> Any:
    """Reads JSON that somebody else wrote. A key that stands twice in an object is refused: which one counts?

    Raises:
        ValueError: not JSON, or a key stands twice.
        RecursionError: it is nested too deeply.
    """
    return json.loads(text, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key '{next(key for key in keys if keys.count(key) > 1)}' stands twice in one object")
    return values


def read_json(path: Path, made_by: str = "dvc repro") -> Any:
    """Reads a JSON file that an earlier stage wrote; ``made_by`` is the command that the error recommends.

    Raises:
        ResultError: the file is missing, or is not JSON.
    """
    if not path.is_file():
        raise ResultError("a result is missing", where=path, remedy=made_by)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ResultError(f"not JSON: {error}", where=path, remedy=f"run again: {made_by}") from error
