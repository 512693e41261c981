"""The .mat files in which published protocols list images, identities and pairs."""

from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from lrfr.core.normal_names import normal_name
from lrfr.errors import SourceError
from lrfr.sources.reading.dataset_files import relative
from lrfr.sources.reading.list_checks import composed


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
    """Some fields of a .mat file."""
    from scipy.io import loadmat  # 0.2 s that other sources need not wait for

    remedy = "get the file from its publisher again"
    try:
        content = loadmat(path, variable_names=names)
    except NotImplementedError as error:
        again = "open it in MATLAB and write it in version 5: save(file, '-struct', 'content', '-v7')"
        raise SourceError("a .mat file of version 7.3 (HDF5) cannot be read", where=path, remedy=again) from error
    except Exception as error:  # a broken file fails in scipy's depths in many ways
        raise SourceError(f"not a readable .mat file: {error}", where=path, remedy=remedy) from error
    missing = [name for name in names if name not in content]
    if missing:
        raise SourceError(f"a .mat file has no field {', '.join(missing)}", where=path, remedy=remedy)
    return {name: np.asarray(content[name]) for name in names}


def _value(cell: Any) -> Any:
    """What a cell holds, out of the cells around it."""
    while isinstance(cell, np.ndarray) and cell.size == 1:
        cell = cell.reshape(-1)[0]
    return cell


def _file_name(root: Path, cell: Any, where: Path) -> str:
    """The file name in a cell, without folders."""
    name = _value(cell)
    if not isinstance(name, str) or not name.strip():
        raise SourceError(f"a cell holds no file name: {name!r}", where=where)
    return composed(relative(root, name.strip()).name)


def _identity(cell: Any, where: Path) -> str:
    """The identity in a cell, as the text of a whole number."""
    value = _value(cell)
    try:
        return str(int(normal_name(value) or ""))
    except ValueError as error:
        raise SourceError(f"an identity is no whole number: {value}", where=where) from error
