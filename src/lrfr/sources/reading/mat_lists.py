"""The .mat files in which published protocols list images, identities and pairs."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from lrfr.core.normal_names import normal_name
from lrfr.errors import SourceError
from lrfr.sources.reading import mat_fields
from lrfr.sources.reading.dataset_files import relative
from lrfr.sources.reading.list_checks import composed

SECONDS = 120  # for a list; the largest published one, of 200,000 names, takes seconds
AGAIN = "get the file from its publisher again"


def identities_of(root: Path, file: str, names: str, ids: str) -> dict[str, str]:
    """The identity of each image that a .mat file lists.

    Args:
        root: the dataset.
        file: the .mat file, relative to it.
        names: the field of the images' file names, N x 1 cells.
        ids: the field of their identities, N x 1 numbers.

    Returns:
        File name (without folders) -> identity, in the list's order.

    Raises:
        SourceError: no .mat file of version 5, a field is missing, the fields differ in length, an identity is no
            whole number, a name leads out of the dataset, or one name has two identities.
    """
    where = root / file
    fields = _fields(where, names, ids)
    listed, numbers = fields[names].ravel(), fields[ids].ravel()
    if len(listed) != len(numbers):
        raise SourceError(f"{names} lists {len(listed)} images and {ids} {len(numbers)} identities", where=where)
    identities: dict[str, str] = {}
    for cell, number in zip(listed, numbers, strict=True):
        name, identity = _file_name(root, cell, where), _identity(number, where)
        if identities.setdefault(name, identity) != identity:
            raise SourceError(f"{name} has two identities: {identities[name]} and {identity}", where=where)
    return identities


def pairs_of(root: Path, file: str) -> list[tuple[str, str]]:
    """The pairs of file names (without folders) that a .mat file lists in a field of its own name, N x 2 cells.

    Raises:
        SourceError: as for :func:`identities_of`, or the field has not two columns.
    """
    where = root / file
    field = PurePosixPath(file).stem
    cells = _fields(where, field)[field]
    if cells.ndim != 2 or cells.shape[1] != 2:
        raise SourceError(f"{field} has the shape {cells.shape}, not pairs in two columns", where=where)
    return [(_file_name(root, left, where), _file_name(root, right, where)) for left, right in cells]


def _fields(path: Path, *names: str) -> dict[str, np.ndarray]:
    """Some fields of a .mat file, as arrays of what is in their cells.

    Another process reads it: scipy's reader is C code, which a damaged file can crash or keep busy for ever.
    """
    command = [sys.executable, "-P", mat_fields.__file__, str(os.getpid()), str(SECONDS), str(path), *names]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise _unreadable(path, done)
    fields = json.loads(done.stdout)
    missing = [name for name in names if name not in fields]
    if missing:
        raise SourceError(f"a .mat file has no field {', '.join(missing)}", where=path, remedy=AGAIN)
    return {name: np.array(field["cells"], dtype=object).reshape(field["shape"]) for name, field in fields.items()}


def _unreadable(path: Path, done: subprocess.CompletedProcess[str]) -> SourceError:
    """The error of a reader that did not end well."""
    if done.returncode == mat_fields.HDF5:
        remedy = "open it in MATLAB and write it in version 5: save(file, '-struct', 'content', '-v7')"
        return SourceError("a .mat file of version 7.3 (HDF5) cannot be read", where=path, remedy=remedy)
    if done.returncode == -signal.SIGALRM:
        what = f"a .mat file could not be read in {SECONDS} s"
    elif done.returncode < 0:
        what = f"a .mat file is damaged: it crashed its reader ({signal.Signals(-done.returncode).name})"
    else:
        what = f"not a readable .mat file: {done.stderr.strip()}"
    return SourceError(what, where=path, remedy=AGAIN)


def _file_name(root: Path, cell: Any, where: Path) -> str:
    """The file name in a cell, without folders."""
    if not isinstance(cell, str) or not cell.strip():
        raise SourceError(f"a cell holds no file name: {cell!r}", where=where)
    return composed(relative(root, cell.strip()).name)


def _identity(cell: Any, where: Path) -> str:
    """The identity in a cell, as the text of a whole number."""
    try:
        return str(int(normal_name(cell) or ""))
    except ValueError as error:
        raise SourceError(f"an identity is no whole number: {cell}", where=where) from error
