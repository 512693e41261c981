"""Lists of templates as IJB publishes them: pairs (left, right, same), galleries and probes (template, identity)."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from lrfr.core.inputs import UNKNOWN
from lrfr.errors import EmbeddingError
from lrfr.score.tables import DAMAGE, WHOLE, as_names, first_line

PAIRS = {
    "left": ("left", "left_template", "t1", "template1", "template_1", "template_id_1", "enroll_template_id"),
    "right": ("right", "right_template", "t2", "template2", "template_2", "template_id_2", "verif_template_id"),
    "same": ("same", "label", "is_same", "issame"),
}
ENROLMENT = {
    "template": ("template", "template_id", "tid"),
    "identity": ("identity", "identity_id", "subject", "subject_id", "sid"),
}
"""What a first line of names may call the columns, in upper or lower case."""

NUMBER = re.compile(r"-?[0-9]+(\.0+)?")


def read_pairs(path: Path, templates: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pairs as places in ``templates`` (T,): left (M,), right (M,), and same (M,) bool.

    Raises:
        EmbeddingError: the file is missing or damaged, or names a template without images.
    """
    table = _read(path, PAIRS, templates)
    return _places(table, "left", templates, path), _places(table, "right", templates, path), table["same"].to_numpy()


def read_enrolment(path: Path, templates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places in ``templates`` (T,), each once, and their identities: whole numbers or text.

    Some copies of IJB's lists have a line for each image of a template.

    Raises:
        EmbeddingError: the file is missing or damaged, names a template without images, or gives one two identities.
    """
    table = _read(path, ENROLMENT, templates)
    different, number = _names(table, "identity", path)
    rows, identity = _places(table, "template", templates, path), different[number]
    rows, first, place = np.unique(rows, return_index=True, return_inverse=True)
    twice = np.flatnonzero(identity[first][place] != identity)
    if len(twice):
        both = f"{identity[first][place[twice[0]]]} and {identity[twice[0]]}"
        where = f"{path}, template {templates[rows[place[twice[0]]]]}"
        raise EmbeddingError(f"a template has two identities: {both}", where=where, remedy="take one line out")
    return rows, identity[first]


def _read(path: Path, columns: Mapping[str, Sequence[str]], templates: np.ndarray) -> pa.Table:
    """The columns by their names if the first line has names, else the first ones as they stand."""
    if not path.is_file():
        raise EmbeddingError("there is no such file", where=path)
    line = first_line(path)
    delimiter = next((one for one in ",\t;" if one in line), " ")
    fields = [field.strip().strip('"').lower() for field in line.split(delimiter)]
    if len(fields) < len(columns):
        remedy = f"give lines of {', '.join(columns)}, with commas, tabs or spaces between"
        raise EmbeddingError(f"the first line has {len(fields)} columns", where=path, remedy=remedy)
    header = _is_header(fields, columns, templates)
    if header:
        chosen = _named(fields, columns, path)
    else:
        chosen = [*columns, *(f"unused_{place}" for place in range(len(columns), len(fields)))]
    kinds = {name: pa.bool_() if name == "same" else pa.string() for name in columns}
    try:
        table = csv.read_csv(
            path,
            csv.ReadOptions(column_names=chosen, skip_rows=int(header)),
            csv.ParseOptions(delimiter=delimiter),
            csv.ConvertOptions(column_types=kinds, include_columns=list(columns)),
        )
    except DAMAGE as error:
        raise EmbeddingError(f"this cannot be read: {error}", where=path, remedy="look at that line") from error
    empty = [name for name in columns if table[name].null_count]
    if empty or not table.num_rows:
        raise EmbeddingError(f"a line has no {empty[0]}" if empty else "the list is empty", where=path)
    return table


def _is_header(fields: Sequence[str], columns: Mapping[str, Sequence[str]], templates: np.ndarray) -> bool:
    """Whether the first line has names in it; a line that is merely wrong must not pass for one."""
    if templates.dtype.kind in "iu":
        return not any(NUMBER.fullmatch(field) for field in fields)
    known = {spelling for spellings in columns.values() for spelling in spellings}
    return not known.isdisjoint(fields) and not np.isin(fields, np.char.lower(templates)).any()


def _named(fields: Sequence[str], columns: Mapping[str, Sequence[str]], path: Path) -> list[str]:
    """The fields of the first line by what their columns are called here; columns go by these names alone.

    Raises:
        EmbeddingError: a column is not named, or twice.
    """
    known = {spelling: column for column, spellings in columns.items() for spelling in spellings}
    chosen = [known.get(field, f"unused_{place}") for place, field in enumerate(fields)]
    for column, spellings in columns.items():
        if chosen.count(column) != 1:
            told = "no column" if column not in chosen else "two columns"
            remedy = f"call one of them {' or '.join(spellings)}, or leave the line of names out"
            raise EmbeddingError(
                f"the first line has {told} '{column}': {', '.join(fields)}", where=path, remedy=remedy
            )
    return chosen


def _names(table: pa.Table, column: str, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The different names (K,) of a column in their normal form, and the number (M,) of each line's own."""
    encoded = table[column].combine_chunks().dictionary_encode()
    different = as_names(column, np.array(encoded.dictionary.to_pylist(), np.str_), path)
    if different.dtype.kind == "U" and (different == "").any():
        raise EmbeddingError(f"a line has no {column}", where=path, remedy="write it, or take the line out")
    return different, encoded.indices.to_numpy()


def _places(table: pa.Table, side: str, templates: np.ndarray, path: Path) -> np.ndarray:
    different, number = _names(table, side, path)
    if templates.dtype.kind in "iu" and different.dtype.kind == "U":
        strange = next(name for name in different.tolist() if not WHOLE.fullmatch(name))
        what = f"this cannot be read: '{strange}' is no whole number, as the images' templates are"
        raise EmbeddingError(what, where=path, remedy="call templates alike in the list and in the images")
    named = different.astype(np.str_) if templates.dtype.kind == "U" else different
    found = pc.index_in(pa.array(named), pa.array(templates)).fill_null(UNKNOWN).to_numpy().astype(np.int64)[number]
    strange = np.flatnonzero(found == UNKNOWN)
    if len(strange):
        what = f"{len(strange)} lines name a {side if side == 'template' else side + ' template'} without images"
        where = f"{path}: '{named[number[strange[0]]]}'"
        raise EmbeddingError(what, where=where, remedy="give images of every template listed")
    return found
