"""Columns of a .csv or a .parquet as numpy arrays."""

import re
from collections.abc import Iterable, Sequence
from csv import Error, reader
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from lrfr.core.normal_names import normal_name
from lrfr.errors import EmbeddingError
from lrfr.memory import excess

VECTORS = ("embedding", "left", "right")
DAMAGE = (pa.ArrowException, OSError, ValueError, Error)  # what is raised over bytes that are no table
LONGEST = 2**16  # of a first line, characters
WHOLE = re.compile("0|-?[1-9][0-9]{0,17}")  # text that is the same once it was a number: 007 is a name
CSV_TYPES = {
    **dict.fromkeys(("score", "quality", "quality_left", "quality_right"), pa.float64()),
    **dict.fromkeys(("same", "missing"), pa.bool_()),
}
"""What columns of a .csv hold; all others are names."""


def lacking(path: Path, needed: Iterable[str], there: Sequence[str]) -> None:
    """Raises an EmbeddingError if one of the needed names is not there."""
    absent = [name for name in needed if name not in there]
    if absent:
        what = f"'{', '.join(absent)}' is missing; the file has {', '.join(there) or 'nothing'}"
        raise EmbeddingError(what, where=path, remedy=f"needed are {', '.join(needed)}, under these names")
    doubled = sorted({name for name in there if list(there).count(name) > 1})
    if doubled:
        raise EmbeddingError(f"'{doubled[0]}' is there more than once", where=path, remedy="give each column a name")


def read_csv(path: Path, needed: Sequence[str], optional: Sequence[str]) -> dict[str, np.ndarray]:
    """The wanted columns of a table whose first line has their names; the others are not looked at.

    Raises:
        EmbeddingError: no table, a column is missing or does not hold what it should, or vectors are wanted.
    """
    vectors = [name for name in needed if name in VECTORS]
    if vectors:
        remedy = f"put {', '.join(vectors)} into {path.with_suffix('.npy').name} and give that one"
        raise EmbeddingError("a .csv has no embeddings", where=path, remedy=remedy)
    try:
        there = next(reader([first_line(path)]))
        lacking(path, needed, there)
        wanted = [name for name in (*needed, *optional) if name in there]
        table = csv.read_csv(
            path,
            csv.ReadOptions(column_names=there, skip_rows=1),
            convert_options=csv.ConvertOptions(
                column_types={name: CSV_TYPES.get(name, pa.string()) for name in wanted}, include_columns=wanted
            ),
        )
    except DAMAGE as error:
        raise EmbeddingError(f"this cannot be read: {error}", where=path, remedy="look at that line") from error
    return {name: _values(name, table[name], path) for name in wanted}


def first_line(path: Path) -> str:
    """The first line of a text file, without its end."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        return file.readline(LONGEST).rstrip("\r\n")


def read_parquet(path: Path, needed: Sequence[str], optional: Sequence[str]) -> dict[str, np.ndarray]:
    """The wanted columns; embeddings are lists of numbers, all as long.

    Raises:
        EmbeddingError: not a Parquet file, a column is missing, or has rows without a value.
    """
    try:
        with pq.ParquetFile(path) as file:
            there = file.schema_arrow.names
            lacking(path, needed, there)
            # A value that is the same in all rows is stored once, however many there are
            if too_much := excess(8 * file.metadata.num_rows * len(needed)):
                raise EmbeddingError(f"these columns are too large: {too_much}", where=path)
            return {
                name: _vectors(name, file, path) if name in VECTORS else _values(name, _column(file, name), path)
                for name in (*needed, *optional)
                if name in there
            }
    except DAMAGE as error:
        raise EmbeddingError(f"this cannot be read: {error}", where=path, remedy="write the file again") from error


def _column(file: pq.ParquetFile, name: str) -> pa.ChunkedArray:
    column = file.read(columns=[name])[name]
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _vectors(name: str, file: pq.ParquetFile, path: Path) -> np.ndarray:
    """A column of lists as (N, D), filled batch by batch."""
    kind = file.schema_arrow.field(name).type
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if not lists or not (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)):
        raise EmbeddingError(f"'{name}' holds {kind}, not lists of numbers", where=path)
    rows, filled = None, 0
    for batch in file.iter_batches(batch_size=16384, columns=[name]):
        lengths, values = pc.list_value_length(batch[name]), batch[name].flatten()
        if rows is None:
            if too_much := excess(8 * file.metadata.num_rows * (lengths[0].as_py() or 0)):
                raise EmbeddingError(f"'{name}' is too large: {too_much}", where=path)
            rows = np.empty((file.metadata.num_rows, lengths[0].as_py() or 0), kind.value_type.to_pandas_dtype())
        if values.null_count or not pc.all(pc.equal(lengths, rows.shape[1]), skip_nulls=False).as_py():
            what = f"the lists of '{name}' differ in length, or lack a value"
            raise EmbeddingError(what, where=f"{path}, rows {filled} to {filled + len(lengths) - 1}")
        rows[filled : filled + len(lengths)] = values.to_numpy().reshape(len(lengths), -1)
        filled += len(lengths)
    return np.empty((0, 0)) if rows is None else rows


def _values(name: str, column: pa.ChunkedArray, path: Path) -> np.ndarray:
    """A column of plain values as (N,); text as numpy's; an identity that is null is -1, or no text."""
    text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    if name == "identity" and (text or pa.types.is_integer(column.type)):
        column = column.fill_null("" if text else -1)
    if column.null_count:
        row = int(np.argmax(column.is_null().to_numpy()))
        raise EmbeddingError(f"{column.null_count} rows have no {name}", where=f"{path}, row {row}")
    return np.array(column.to_pylist(), np.str_) if text else column.to_numpy()


def as_names(what: str, texts: np.ndarray, where: object) -> np.ndarray:
    """Names (N,) in their normal form: whole numbers if all are, else text; no text is nobody.

    Args:
        what: they are called in errors, such as ``identity``.
        texts: (N,) text as it was read.
        where: the file, for errors.

    Raises:
        EmbeddingError: one is no name.
    """
    different, place = np.unique(texts, return_inverse=True)
    names = []
    for text in map(str, different):
        try:
            names.append(normal_name(text) or "")
        except ValueError as error:
            row = int(np.argmax(texts == text))
            remedy = "correct it; an identity that nobody knows is an empty text"
            raise EmbeddingError(f"the {what} {error}", where=f"{where}, row {row}", remedy=remedy) from error
    whole = all(WHOLE.fullmatch(name) for name in names)
    return (np.array([int(name) for name in names], np.int64) if whole else np.array(names, np.str_))[place]
