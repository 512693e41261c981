"""The pickles in which verification pairs are published, read without running what a pickle can ask for.

A pickle names functions, and a plain reader calls them. This one knows no function but its own: an array of numpy is
put together by stand-ins that only keep its bytes, and any other name is refused.
"""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lrfr.errors import SourceError

SINGLE_BYTES = {"u1", "i1", "b1"}  # dtypes of the arrays that a list of pairs can hold: pixels' codes and booleans


class _DType:
    """Stands in for numpy.dtype: only the name is kept."""

    def __init__(self, name: str | bytes, *_: object) -> None:
        self.name = name.decode("latin1") if isinstance(name, bytes) else name

    def __setstate__(self, state: object) -> None:
        """Byte order and alignment mean nothing to single bytes."""


class _Array:
    """Stands in for numpy.ndarray: only the bytes are kept."""

    content = b""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, _, content = state
        if dtype.name not in SINGLE_BYTES or shape != (len(bytes(content)),):
            raise ValueError("an array in it is no row of single bytes")
        self.content = bytes(content)


def _array(*_: object) -> _Array:
    return _Array()


def _array_of(buffer: bytes, dtype: _DType, shape: tuple[int], order: str) -> _Array:
    """An array as the newest pickles hold it."""
    array = _Array()
    array.__setstate__((1, shape, dtype, order, buffer))
    return array


def _scalar(dtype: _DType, content: bytes) -> bool:
    return any(bytes(content))


def _latin1(text: str, encoding: str) -> bytes:
    """How Python 3 writes bytes for Python 2 to read."""
    return text.encode("latin1")


CORES = ("numpy.core", "numpy._core")  # before and since numpy 2
ALLOWED: dict[tuple[str, str], Callable[..., Any]] = {
    **{(f"{core}.multiarray", "_reconstruct"): _array for core in CORES},
    **{(f"{core}.multiarray", "scalar"): _scalar for core in CORES},
    **{(f"{core}.numeric", "_frombuffer"): _array_of for core in CORES},
    ("numpy", "ndarray"): _array,
    ("numpy", "dtype"): _DType,
    ("_codecs", "encode"): _latin1,
}


class _Unpickler(pickle.Unpickler):
    """Refuses every name that is not allowed, before anything is called."""

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return ALLOWED[module, name]


def read_pairs(path: Path) -> tuple[list[bytes], list[bool]]:
    """Reads ``(images, issame)`` from a pickle, also one that Python 2 wrote.

    Args:
        path: the file.

    Returns:
        2N encoded images, two for each pair, and N times whether the two show the same person.

    Raises:
        SourceError: the file is missing or no pickle, asks for a function or class, does not hold these two lists, or
            they do not fit each other.
    """
    remedy = "get the file from its publisher again; lrfr runs no code that a data file brings"
    try:
        with path.open("rb") as file:
            content = _Unpickler(file, encoding="bytes").load()
    except FileNotFoundError as error:
        raise SourceError("there is no such file", where=path, remedy="correct the root") from error
    except Exception as error:  # a broken pickle fails in many ways
        raise SourceError(f"not a list of image pairs: {error}", where=path, remedy=remedy) from error
    if not isinstance(content, tuple | list) or len(content) != 2:
        raise SourceError("not a list of image pairs: it does not hold images and issame", where=path, remedy=remedy)
    images, same = [_image(image, path) for image in _items(content[0], path)], _booleans(content[1], path)
    if not same or len(images) != 2 * len(same):
        raise SourceError(f"{len(images)} images do not make {len(same)} pairs", where=path, remedy=remedy)
    return images, same


def _items(value: object, path: Path) -> list[Any] | tuple[Any, ...]:
    if isinstance(value, list | tuple):
        return value
    raise SourceError(f"not a list of image pairs: a {type(value).__name__} in place of a list", where=path)


def _image(value: object, path: Path) -> bytes:
    if isinstance(value, _Array):
        return value.content
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    raise SourceError(f"not a list of image pairs: a {type(value).__name__} in place of an image", where=path)


def _booleans(value: object, path: Path) -> list[bool]:
    """Truth values from a list, or from the bytes of an array."""
    values = list(value.content) if isinstance(value, _Array) else _items(value, path)
    if any(not isinstance(same, int) or same not in (0, 1) for same in values):
        raise SourceError("not a list of image pairs: issame holds more than true and false", where=path)
    return [bool(same) for same in values]
