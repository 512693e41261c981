"""What the user hands over: named arrays in an .npz archive, an .npy array with a .csv beside it, a .parquet or a .csv.

Nothing in a file is ever run: pickled objects are refused. An .npy array is memory-mapped, so that a gallery larger
than the memory can be scored.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lrfr.errors import EmbeddingError
from lrfr.score.archives import read_npy, read_npz
from lrfr.score.tables import as_names, read_csv, read_parquet

READERS = {".npz": read_npz, ".npy": read_npy, ".parquet": read_parquet, ".csv": read_csv}

REAL, NAMES, BOOL = ("fiu", "real numbers"), ("iuU", "whole numbers or text"), ("b", "bool")
KINDS = {
    "embedding": (REAL, 2),
    "left": (REAL, 2),
    "right": (REAL, 2),
    "score": (REAL, 1),
    "quality": (REAL, 1),
    "quality_left": (REAL, 1),
    "quality_right": (REAL, 1),
    "identity": (NAMES, 1),
    "identity_left": (NAMES, 1),
    "template": (NAMES, 1),
    "media": (NAMES, 1),
    "fold": (NAMES, 1),
    "same": (("biu", "bool"), 1),
    "missing": (BOOL, 1),
}
"""What each array may hold, and its number of axes. Text is numbered; ``same`` may be 0 and 1, as the core says."""


def read_arrays(path: Path, needed: Sequence[str], optional: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """The arrays of these names, those optional ones that are there, all with as many rows.

    Args:
        path: an .npz with the arrays; or an .npy with the first of ``needed`` (or, where ``left`` and ``right`` are
            needed, both as (N, 2, D)) and the others as columns of a .csv of that name beside it; or a .parquet, or,
            where no array has two axes, a .csv, whose columns are the arrays.
        needed: names that must be there.
        optional: names that may be.

    Raises:
        EmbeddingError: the file is missing, of another kind or damaged, holds objects, lacks an array, or an array is
            of the wrong type or shape, or empty.
    """
    if path.suffix.lower() not in READERS:
        remedy = "give an .npz, an .npy with the other columns in a .csv of that name beside it, or a .parquet"
        raise EmbeddingError(f"files that end in '{path.suffix}' are not read", where=path, remedy=remedy)
    if not path.is_file():
        other = "a folder" if path.is_dir() else "a pipe or a device"
        raise EmbeddingError(f"there is no {'such file' if not path.exists() else f'file, but {other}'}", where=path)
    arrays = READERS[path.suffix.lower()](path, needed, optional)
    for name, values in list(arrays.items()):
        _check(name, values, path)
        if values.dtype.kind == "U":
            arrays[name] = as_names(name, values, path)
    if len({len(values) for values in arrays.values()}) > 1:
        lengths = ", ".join(f"{name} {len(values)}" for name, values in arrays.items())
        raise EmbeddingError(f"the arrays differ in length: {lengths}", where=path, remedy="give one row of each")
    return arrays


def _check(name: str, values: np.ndarray, path: Path) -> None:
    (kinds, told), axes = KINDS[name]
    if values.dtype.kind not in kinds or values.ndim != axes or 0 in values.shape:
        shape = "(N, D)" if axes == 2 else "(N,)"
        what = f"'{name}' holds {values.dtype} of the shape {values.shape}; {told} {shape} are needed, N > 0"
        raise EmbeddingError(what, where=path, remedy=f"store {name} as {told} of the shape {shape}")


def numbered(*names: np.ndarray) -> list[np.ndarray]:
    """Identities out of several files as int64, the same number for the same name; no text, or "-1", is unknown.

    Whole numbers stay what they are if all are.
    """
    if all(np.can_cast(values.dtype, np.int64) for values in names):
        return [values.astype(np.int64, copy=False) for values in names]
    texts = [values.astype(np.str_) for values in names]
    known, number = np.unique(np.concatenate(texts), return_inverse=True)
    number = np.where(np.isin(known, ("", "-1"))[number], -1, number)
    return np.split(number, np.cumsum([len(values) for values in names])[:-1])


def name_of(number: int, *names: np.ndarray) -> object:
    """What the files call the identity that :func:`numbered` gave this number, out of the same ``names``."""
    if all(np.can_cast(values.dtype, np.int64) for values in names):
        return number
    return np.unique(np.concatenate([values.astype(np.str_) for values in names]))[number]
