"""Lists of templates as IJB publishes them: pairs (left, right, same), galleries and probes (template, identity)."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from lrfr.core.inputs import UNKNOWN
from lrfr.errors import EmbeddingError
from lrfr.score.tables import DAMAGE, as_names, first_line

PAIRS = {"left": "template", "right": "template", "same": "label"}
ENROLMENT = {"template": "template", "identity": "identity"}
HEADER = {"left", "right", "same", "label", "template", "template_id", "identity", "subject", "subject_id"}


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
    rows, identity = _places(table, "template", templates, path), as_names(table["identity"])
    rows, first, place = np.unique(rows, return_index=True, return_inverse=True)
    twice = np.flatnonzero(identity[first][place] != identity)
    if len(twice):
        raise EmbeddingError(
            "a template has two identities", where=f"{path}, template {templates[rows[place[twice[0]]]]}"
        )
    return rows, identity[first]


def _read(path: Path, columns: dict[str, str], templates: np.ndarray) -> pa.Table:
    """The columns by their names if the first line has them, else the first ones as they stand."""
    if not path.is_file():
        raise EmbeddingError("there is no such file", where=path)
    line = first_line(path)
    delimiter = next((one for one in ",\t;" if one in line), " ")
    fields = [field.strip().strip('"') for field in line.split(delimiter)]
    if len(fields) < len(columns):
        remedy = f"give lines of {', '.join(columns)}, with commas, tabs or spaces between"
        raise EmbeddingError(f"the first line has {len(fields)} columns", where=path, remedy=remedy)
    header = _is_header(fields[: len(columns)], templates)
    by_name = header and columns.keys() <= set(fields)
    chosen = fields if by_name else [*columns, *map(str, range(len(columns), len(fields)))]
    kinds = {"template": pa.array(templates).type, "label": pa.bool_(), "identity": pa.string()}
    try:
        table = csv.read_csv(
            path,
            csv.ReadOptions(column_names=chosen, skip_rows=int(header)),
            csv.ParseOptions(delimiter=delimiter),
            csv.ConvertOptions(
                column_types={name: kinds[kind] for name, kind in columns.items()}, include_columns=list(columns)
            ),
        )
    except DAMAGE as error:
        raise EmbeddingError(f"this cannot be read: {error}", where=path, remedy="look at that line") from error
    empty = [name for name in columns if table[name].null_count]
    if empty or not table.num_rows:
        raise EmbeddingError(f"a line has no {empty[0]}" if empty else "the list is empty", where=path)
    return table


def _is_header(fields: list[str], templates: np.ndarray) -> bool:
    """Whether the first line has names in it; a line that is merely wrong must not pass for one."""
    if templates.dtype.kind in "iu":
        return not any(field.lstrip("-").isdigit() for field in fields)
    return bool({field.lower() for field in fields} & HEADER) and not np.isin(fields, templates).any()


def _places(table: pa.Table, side: str, templates: np.ndarray, path: Path) -> np.ndarray:
    found = pc.index_in(table[side], pa.array(templates))
    if found.null_count:
        row = int(np.argmax(found.is_null().to_numpy()))
        what = f"{found.null_count} lines name a {side if side == 'template' else side + ' template'} without images"
        raise EmbeddingError(what, where=f"{path}: '{table[side][row]}'", remedy="give images of every template listed")
    return found.fill_null(UNKNOWN).to_numpy().astype(np.int64)
