"""One flow at a time in a project: the lock that flows hold, and a note of who holds it and since when.

The kernel frees the lock when its holder dies; the note stays, and tells that the holder did not come to its end.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from lrfr.errors import OccupiedError
from lrfr.files import check_writable, parse_json, write_json

LOCK = Path(".dvc/tmp/flow.lock")  # with DVC's own locks: one flow in a project, wherever Prefect is at home
NOTE = LOCK.with_suffix(".json")


@dataclass(frozen=True)
class Holder:
    """Who holds the lock, or held it: ``flow``, its ``process``'s number, ``since`` when, and the id of its ``run``."""

    flow: str
    process: int
    since: str
    run: str | None = None

    def __str__(self) -> str:
        """In words."""
        return f"{self.flow}, process {self.process}, since {self.since}"


@contextmanager
def held(flow: str, run: str | None = None) -> Iterator[Holder | None]:
    """Holds the lock; within it a flow may hold it again.

    Args:
        flow: who.
        run: its id, where somebody else knows it.

    Yields:
        A holder that was killed before; None where there was none, or where the lock was held by this process already.

    Raises:
        OccupiedError: another process holds it.
        OSError: nothing can be written there.
    """
    lock = _lock()
    if lock.is_locked:
        with lock:
            _add_run(run)
            yield None
        return
    check_writable(LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise _occupied() from None
    try:
        before = noted()
        write_json(NOTE, asdict(Holder(flow, os.getpid(), _now(), run)))
        try:
            yield before
        finally:
            NOTE.unlink(missing_ok=True)
    finally:
        lock.release()


def noted() -> Holder | None:
    """The note of who holds the lock, or was killed while holding it; None where there is none, or it is damaged."""
    try:
        return Holder(**parse_json(NOTE.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def is_held() -> bool:
    """Whether a process holds the lock now."""
    if not LOCK.exists():
        return False
    try:
        with FileLock(LOCK, timeout=0):
            return False
    except Timeout:
        return True


def _lock() -> FileLock:
    """The lock of the project in which we are; one for this process, whichever of its threads asks."""
    return FileLock(LOCK.absolute(), timeout=0, is_singleton=True, thread_local=False)


def _add_run(run: str | None) -> None:
    """Notes the run of a flow that a command began, which held the lock before there was one."""
    holder = noted()
    if run is not None and holder is not None and holder.run is None:
        write_json(NOTE, asdict(replace(holder, run=run)))


def _occupied() -> OccupiedError:
    holder = noted()
    who = f": {holder}" if holder else ""
    return OccupiedError(
        f"a flow already runs in this project{who}", where=LOCK, remedy="wait until it ends, or stop it"
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
