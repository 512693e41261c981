"""Atomic writing: a file is either the old one or the whole new one, also after a crash or a full disk.

Until it is whole, a file lies hidden beside its place, under one name for each: what a kill left of it is taken over by
the next write, and DVC and git pass it over (``.dvcignore``, ``.gitignore``).
"""

import csv
import json
import math
import os
import re
import shutil
import stat
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from numbers import Integral, Real
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

from lrfr.errors import ResultError

try:
    from fcntl import LOCK_EX, flock
except ImportError:  # not on every system; there two processes that write one file are not kept apart
    flock = None

UNFINISHED = ".unfinished"
LONGEST = 200  # bytes of a file's name that its unfinished one has; 255 is what file systems allow
OPEN_FILES = ("/dev/std", "/dev/fd/", "/proc/")  # links to what a process has open already
DAMAGE = (MemoryError, ValueError, TypeError, KeyError, OSError, EOFError, RuntimeError, SyntaxError,
          struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error)  # fmt: skip
"""What numpy and zipfile raise over bytes that are no arrays, or no archive."""
IN_CACHE = re.compile(r"/files/md5/[0-9a-f]{2}/[0-9a-f]{30}(\.dir)?$")  # DVC's, into which its links lead


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yields a temporary path; what was written there takes the place of ``path`` when the block succeeds.

    A link is followed: the file that it leads to is written, unless that is in DVC's cache, which must not change. A
    pipe or a device, such as a terminal or ``/dev/null``, stays what it is and gets the bytes once all are there.

    Raises:
        ResultError: a folder, a disk or a socket is there.
        OSError: nothing can be written there; it names the file.
    """
    with _naming(path):
        taker = _open_for_writing if _takes_bytes(path) else _beside
        with taker(path) as temporary:
            yield temporary


def check_writable(path: Path) -> None:
    """Fails before the work, rather than after it, where :func:`atomic_path` could not write.

    Raises:
        ResultError: a folder, a disk or a socket is there.
        OSError: nothing can be written there; it names the file.
    """
    with _naming(path):
        if not _takes_bytes(path):
            place = _file_of(path).parent
            place.mkdir(parents=True, exist_ok=True)
            TemporaryFile(dir=place).close()


def _takes_bytes(path: Path) -> bool:
    """Whether a pipe or a device is there, or a file that is open already; no file at all is none of them."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(mode) or stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a disk" if stat.S_ISBLK(mode) else "a socket"
        raise ResultError(f"cannot write: this is {kind}", where=path, remedy="give the name of a file")
    return not stat.S_ISREG(mode) or str(path.absolute()).startswith(OPEN_FILES)


def _file_of(path: Path) -> Path:
    """The file that a path means: where its links lead, but for DVC's own."""
    place = Path(os.path.realpath(path))
    return path if IN_CACHE.search(place.as_posix()) else place


@contextmanager
def _open_for_writing(path: Path) -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        temporary = Path(folder, "whole")
        yield temporary
        with temporary.open("rb") as whole, path.open("wb") as taker:
            shutil.copyfileobj(whole, taker)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """An unfinished file that nobody else writes meanwhile; the kernel lets go of it when this process is killed."""
    place = _file_of(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = place.with_name(f".{os.fsdecode(os.fsencode(place.name)[:LONGEST])}{UNFINISHED}")
    handle = _locked(temporary)
    try:
        yield temporary
        os.fsync(handle)
        temporary.chmod(0o644)
        temporary.replace(place)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)


def _locked(temporary: Path) -> int:
    """Opens an unfinished file for this process alone, empty; waits while another one writes it."""
    while True:
        handle = os.open(temporary, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            if flock:
                with suppress(OSError):  # some network disks know no locks
                    flock(handle, LOCK_EX)
            if os.path.samestat(os.fstat(handle), temporary.stat()):  # else it was finished while this one waited
                os.ftruncate(handle, 0)
                return handle
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Lets what the disk complains of name the file."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and str(error.filename or UNFINISHED).endswith(UNFINISHED):
            error.filename = str(path)
        raise


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
    """Reads JSON. A key that stands twice in an object is refused: which one counts?

    Raises:
        ValueError: not JSON, nested too deeply, or a key stands twice.
    """
    try:
        return json.loads(text, object_pairs_hook=_object)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


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
        return parse_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ResultError(f"not JSON: {error}", where=path, remedy=f"run again: {made_by}") from error
