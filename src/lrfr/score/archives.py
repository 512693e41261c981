"""numpy's own files: an .npz archive of named arrays, or one .npy array with a table of the others beside it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lrfr.errors import EmbeddingError
from lrfr.files import DAMAGE
from lrfr.memory import excess
from lrfr.score.tables import lacking, read_csv


def read_npz(path: Path, needed: Sequence[str], optional: Sequence[str]) -> dict[str, np.ndarray]:
    """The wanted arrays of an archive; others in it are not looked at.

    Raises:
        EmbeddingError: not an archive, an array is missing or damaged, or holds objects.
    """
    try:
        stored = np.load(path, allow_pickle=False)
        if not isinstance(stored, np.lib.npyio.NpzFile):
            raise EmbeddingError("this is one array, not an archive", where=path, remedy="let its name end in .npy")
        with stored:
            lacking(path, needed, stored.files)
            _check_size(path, stored, (*needed, *optional))
            return {name: np.asarray(stored[name]) for name in (*needed, *optional) if name in stored.files}
    except DAMAGE as error:
        raise _unreadable(path, error) from error


def _check_size(path: Path, stored: np.lib.npyio.NpzFile, names: Sequence[str]) -> None:
    """Raises where the wanted arrays cannot fit the memory; a compressed one may be a thousand times as large."""
    wanted = {f"{name}.npy" for name in names}
    members = stored.zip.infolist() if stored.zip else []
    size = sum(member.file_size for member in members if member.filename in wanted)
    if too_much := excess(size):
        remedy = "store the first array as .npy, which is read piece by piece, and the others as a .csv beside it"
        raise EmbeddingError(f"these arrays are too large: {too_much}", where=path, remedy=remedy)


def read_npy(path: Path, needed: Sequence[str], optional: Sequence[str]) -> dict[str, np.ndarray]:
    """The first needed array, memory-mapped, and the others from the table beside it.

    Raises:
        EmbeddingError: not an array, or of objects; or the table is missing, damaged or lacks a column.
    """
    try:
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
    except DAMAGE as error:
        raise _unreadable(path, error) from error
    if not isinstance(stored, np.ndarray):
        raise EmbeddingError("this is an archive, not one array", where=path, remedy="let its name end in .npz")
    if tuple(needed[:2]) == ("left", "right"):
        if stored.ndim != 3 or stored.shape[1] != 2:
            what = f"an array of the shape {stored.shape} holds no pairs; (N, 2, D) is needed"
            raise EmbeddingError(what, where=path, remedy="numpy.stack([left, right], axis=1)")
        arrays = {"left": stored[:, 0], "right": stored[:, 1]}
    else:
        arrays = {needed[0]: stored}
    rest = [name for name in needed if name not in arrays]
    table = path.with_suffix(".csv")
    if rest and not table.is_file():
        what = f"the columns {', '.join(rest)} are missing: there is no table beside {path.name}"
        raise EmbeddingError(what, where=table, remedy=f"write them to {table.name}, with a line of their names")
    return arrays | (read_csv(table, rest, optional) if table.is_file() else {})


def _unreadable(path: Path, error: BaseException) -> EmbeddingError:
    if "pickle" in str(error):
        what = "this holds Python objects (a pickle), or is no file of arrays; a pickle can run code and is never read"
        return EmbeddingError(what, where=path, remedy="store plain arrays: numbers, bool or text, no dtype=object")
    return EmbeddingError(f"this cannot be read: {error}", where=path, remedy="write it again with numpy.savez or save")
