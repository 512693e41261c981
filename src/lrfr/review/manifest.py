"""A labeller's manifest on disk: lines are only ever appended, and what was appended is on the disk.

Appends of several processes take turns by a lock, and each is one write. A crash can leave no more than one torn line
at the end, of verdicts that nobody was told were saved; the next append closes that line and starts a new one.
"""

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lrfr import paths
from lrfr.core import verdicts
from lrfr.core.manifest_lines import ADJUDICATED, TORN, Kind, Line
from lrfr.errors import VerdictError
from lrfr.manifests import KINDS, read_manifest

LONGEST_LINE = 65536  # bytes; how far back a torn line is looked for
PATIENCE = 20  # s that an append waits for another one to end


def checked_labeller(name: str, simulated: Iterable[str]) -> str:
    """The labeller's name, fit to name a manifest, in Unicode's composed form.

    Args:
        name: what the labeller typed.
        simulated: the names of the simulated labellers; under one of them nobody could tell the two apart.

    Raises:
        VerdictError: the name is empty, too long, reserved, could leave the folder, is a simulated labeller's, or
            differs from a labeller that exists by upper and lower case alone.
    """
    name = unicodedata.normalize("NFC", name)
    if not re.fullmatch(r"[^\W_][\w.-]{0,62}", name) or name.endswith("."):
        remedy = "begin with a letter or a digit; go on with letters, digits, '-', '_' and '.'; at most 63 characters"
        raise VerdictError(f"{name!r} cannot be a labeller's name", where="--labeller", remedy=remedy)
    if name.casefold() in {known.casefold() for known in simulated}:
        remedy = f"choose another name; {paths.PARAMS} has it in curate.simulated_labellers"
        raise VerdictError(f"a simulated labeller is called '{name}'", where="--labeller", remedy=remedy)
    for path in sorted(path for folder in KINDS for path in folder.glob("*.csv")):
        if path.stem != name and path.stem.casefold() == name.casefold():
            remedy = f"use '{path.stem}'; some file systems do not tell the two names apart"
            raise VerdictError(f"there is a labeller '{path.stem}' already", where="--labeller", remedy=remedy)
    return name


def read_under_lock(folder: Path) -> list:
    """The lines of every labeller and adjudicator, of the kind that the folder holds.

    A manifest that is being written is waited for; a line that a crash cut short is closed, lest it keep all out.
    """
    kind, lines = KINDS[folder], []
    for path in sorted(folder.glob("*.csv")):
        with locked(path):
            if not path.read_bytes().endswith(b"\n"):
                append(path, [], kind)
            lines += read_manifest(path, kind)
    return lines


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keeps other processes from appending to a manifest; the kernel frees the lock of a process that was killed.

    The lock lies outside of the manifests' folder, which DVC and git watch.

    Raises:
        VerdictError: another process does not give the lock back.
    """
    from filelock import FileLock, Timeout

    lock = paths.REVIEW_LOCKS / f"{path.parent.name}_{path.stem}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock, timeout=PATIENCE, poll_interval=0.005):
            yield
    except Timeout as error:
        what = f"another process has held the manifest for {PATIENCE} s"
        raise VerdictError(what, where=path, remedy=f"end it; it holds {lock}") from error


def append(path: Path, lines: Sequence[Line], kind: Kind[Line] = verdicts.KIND) -> None:  # pyrefly: ignore
    """Appends lines; when it returns, they are on the disk. Call it under :func:`locked`.

    A header comes first where there is none, and a torn last line is closed. What cannot be written whole is taken
    back, so that a full disk leaves no half lines.

    Raises:
        VerdictError: they could not be written; the manifest is as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            before = os.fstat(handle).st_size
            _write(
                handle, before, _opening(handle, before, kind) + kind.render(lines).removeprefix(kind.header).encode()
            )
        finally:
            os.close(handle)
        _sync_folder(path.parent)
    except OSError as error:
        remedy = "free space, or make the folder writable; nothing of this sheet was kept"
        raise VerdictError(f"the {kind.noun}s were not saved: {error.strerror}", where=path, remedy=remedy) from error


def _write(handle: int, before: int, data: bytes) -> None:
    """Writes at the end and waits for the disk; on an error the file is cut back to its ``before`` bytes."""
    written = 0
    try:
        while written < len(data):
            written += os.write(handle, data[written:])
        os.fsync(handle)
    except OSError:
        if os.fstat(handle).st_size == before + written:  # else somebody who knows no lock wrote behind us
            os.ftruncate(handle, before)
        raise


def _opening(handle: int, size: int, kind: Kind) -> bytes:
    """What must come before the next line: the rest of the header, the end of an unfinished line, or nothing."""
    start = max(0, size - LONGEST_LINE)
    tail = os.pread(handle, size - start, start)
    if start == 0 and kind.header.encode().startswith(tail):
        return kind.header.encode()[size:]
    if tail.endswith(b"\n"):
        return b""
    line = tail.rpartition(b"\n")[2].decode(errors="replace")
    try:
        kind.parse(kind.header + line, "", "")
    except VerdictError:
        return f"{TORN}\n".encode()
    return b"\n"


def _sync_folder(folder: Path) -> None:
    """Waits until a new file's name is on the disk too."""
    if os.name != "posix":  # elsewhere folders cannot be opened
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def manifest_path(labeller: str, adjudicate: bool, folder: Path = paths.VERDICTS) -> Path:
    """Where a labeller's lines of one kind, or adjudications, are kept."""
    return folder / f"{ADJUDICATED if adjudicate else labeller}.csv"
