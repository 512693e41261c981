"""Folders that are whole or not there: filled hidden beside their place, then renamed."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lrfr.errors import ReleaseError
from lrfr.files import UNFINISHED

try:
    from fcntl import LOCK_EX, LOCK_NB, flock
except ImportError:  # not on every system; there two processes that make one folder are not kept apart
    flock = None


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yields an empty folder, which becomes ``path`` when the block succeeds; what a kill left of one is taken over.

    Raises:
        ReleaseError: something is there already, or another process makes it.
        OSError: nothing can be written there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}{UNFINISHED}")
    _check_new(path)
    unfinished.mkdir(exist_ok=True)
    handle = os.open(unfinished, os.O_RDONLY)
    try:
        _lock(handle, path)
        try:
            _empty(unfinished)
            yield unfinished
            _to_disk(unfinished)
            _check_new(path)
            unfinished.rename(path)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
    finally:
        os.close(handle)


def _lock(handle: int, path: Path) -> None:
    """The kernel lets go of it when this process ends."""
    if flock is None:
        return
    try:
        flock(handle, LOCK_EX | LOCK_NB)
    except OSError as error:
        raise ReleaseError("another process is making this folder", where=path, remedy="wait for it") from error


def _check_new(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise ReleaseError("something is there already", where=path, remedy="what is released is never written over")


def _empty(folder: Path) -> None:
    for inner in folder.iterdir():
        if inner.is_dir() and not inner.is_symlink():
            shutil.rmtree(inner)
        else:
            inner.unlink()


def _to_disk(folder: Path) -> None:
    """What a computer that loses its power would otherwise lose."""
    for place, _, names in os.walk(folder):
        for name in names:
            with Path(place, name).open("rb") as file:
                os.fsync(file.fileno())
