"""What an interrupt can leave of DVC's files, recognised and mended, so that a pipeline that was killed goes on.

DVC writes three things in place: ``dvc.lock``, the list of what its commands work on, and its memory of former runs. A
kill in the middle leaves one cut short, and from then on every command fails. Nothing of value is lost by that: what
the lock said last is said again, from the cache, when the stages are looked at anew.

Each stage that DVC runs keeps a copy of the lock, which is whole then, for DVC is waiting for the stage.
"""

import configparser
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lrfr.errors import ParameterError
from lrfr.files import parse_json, write_text
from lrfr.yaml_file import parse_yaml

LOCK = Path("dvc.lock")
TMP = Path(".dvc/tmp")
KEPT, TORN = TMP / "dvc.lock.kept", TMP / "dvc.lock.torn"
AT_WORK = TMP / "rwlock"  # who reads and writes what
PAUSE = 0.5  # s between two looks at a DVC that is at work

# No whole lock ends so: in a line, with the name of something that should follow, or before a folder's number of files
HALF = re.compile(
    r"(?:[^\n]|^ *[^\n ]+:\n|^    - path: .*\n|^      (?:hash|md5): .*\n|\.dir\n      size: \d+\n)\Z", re.MULTILINE
)
STAGE = re.compile(r"^  ([^\s#:]+):$", re.MULTILINE)
CONFLICT = re.compile(r"^(<{7}|={7}|>{7})( |$)", re.MULTILINE)  # git's; for people to resolve


class AtWorkError(Exception):
    """DVC commands that run; ``args`` are their command lines, with the numbers of their processes."""


def recover() -> list[str]:
    """Mends what a killed run left, once no other DVC command is at work, and says what it mended, a line each.

    Raises:
        AtWorkError: another DVC command is at work; nothing was changed.
        OSError: a file cannot be read or written.
    """
    if not TMP.parent.is_dir():
        return []
    with _alone():
        return [*_mend_at_work(), *_mend_lock(), *_mend_former_runs()]


def recover_patiently(say: Any = print) -> None:
    """As :func:`recover`, but waits for other DVC commands to end; ``say`` takes each line that a user should read."""
    told = False
    while True:
        try:
            for line in recover():
                say(line)
            return
        except AtWorkError as error:
            if not told:
                say(f"another DVC command is at work: {', '.join(error.args)}; waiting until it ends")
            told = True
            time.sleep(PAUSE)


def keep_lock() -> None:
    """Keeps a copy of ``dvc.lock``; called by a stage that DVC waits for. Where that cannot be done, nothing is."""
    with suppress(OSError, UnicodeDecodeError, AtWorkError), _held(TMP / "lock"):
        if not LOCK.is_file():
            KEPT.unlink(missing_ok=True)
        elif not HALF.search(text := LOCK.read_text(encoding="utf-8")):
            write_text(KEPT, text)


@contextmanager
def _alone() -> Iterator[None]:
    """Holds the lock that every DVC command takes, and makes sure that none is in the middle of a stage."""
    TMP.mkdir(exist_ok=True)
    with _held(TMP / "lock"):
        running = _running()
        if running:
            raise AtWorkError(*running)
        yield


@contextmanager
def _held(lock: Path) -> Iterator[None]:
    from zc import lockfile  # DVC's own

    try:
        held = lockfile.LockFile(str(lock))
    except lockfile.LockError:
        raise AtWorkError("one that holds its lock") from None
    try:
        yield
    finally:
        held.close()


def _running() -> list[str]:
    """The DVC commands that say they are in the middle of a stage and really run."""
    holders = _holders()
    if not holders:
        return []
    import psutil

    said = AT_WORK.stat().st_mtime
    running = []
    for number, command in holders.items():
        with suppress(psutil.Error):
            # A process that started later only has the number of one that is gone
            process = psutil.Process(number)
            if process.create_time() <= said + 1 and process.status() != psutil.STATUS_ZOMBIE:
                running.append(f"{command} (process {number})")
    return running


def _holders() -> dict[int, str] | None:
    """Command lines of those who say that they work on something, by their processes' numbers; None: it is torn."""
    try:
        said = parse_json(AT_WORK.read_text(encoding="utf-8"))
        writers, readers = said.get("write", {}), said.get("read", {})
        each = [*writers.values(), *(one for several in readers.values() for one in several)]
        return {int(one["pid"]): str(one["cmd"]) for one in each}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError, TypeError, KeyError):
        return None


def _mend_at_work() -> Iterator[str]:
    """Forgets those who are at work: they are gone, or what they said is torn."""
    holders = _holders()
    if holders == {}:
        return
    with _held(TMP / "rwlock.lock"):
        AT_WORK.unlink(missing_ok=True)
    if holders is None:
        yield f"DVC was killed while it noted what it works on ({AT_WORK}); the note was removed"


def _mend_lock() -> Iterator[str]:
    """Puts the last whole ``dvc.lock`` back where it was cut short, else keeps a copy of it."""
    if not LOCK.is_file():
        return
    text = LOCK.read_text(encoding="utf-8", errors="replace")
    kept = KEPT.read_text(encoding="utf-8", errors="replace") if KEPT.is_file() else None
    if text == kept or CONFLICT.search(text):
        return
    torn = _is_torn(text)
    if not torn and (kept is None or not _is_cut(text, kept) or text == _committed()):
        write_text(KEPT, text)
        return
    write_text(TORN, text)
    whole = next((said for said in (kept, _committed()) if said is not None and not _is_torn(said)), None)
    if whole is None:
        LOCK.unlink()
    else:
        write_text(LOCK, whole)
    back = "a new one is begun" if whole is None else "the last whole one is back"
    yield f"DVC was killed while it wrote {LOCK}; {back}, and what is in the cache is not made again"


def _committed() -> str | None:
    """``dvc.lock`` as the last commit has it; None where there is none."""
    try:
        shown = subprocess.run(["git", "show", f"HEAD:./{LOCK}"], capture_output=True, text=True, encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return shown.stdout if shown.returncode == 0 else None


def _is_torn(text: str) -> bool:
    """Whether this cannot be a whole ``dvc.lock``: no YAML, not DVC's, or with an end in the middle of an output."""
    if not text or HALF.search(text):
        return True
    try:
        said = parse_yaml(text, LOCK)
    except ParameterError:
        return True
    return not isinstance(said, dict) or "schema" not in said or not isinstance(said.get("stages"), dict)


def _is_cut(text: str, kept: str) -> bool:
    """Whether the end is lacking that was there before, and hardly anything else changed."""
    now, before = _stages(text), _stages(kept)
    if not now or list(now) != list(before)[: len(now)]:
        return False
    last = list(now)[-1]
    lacks = len(now) < len(before) or (now[last] != before[last] and before[last].startswith(now[last]))
    return lacks and sum(now[name] != before[name] for name in now) <= 2


def _stages(text: str) -> dict[str, str]:
    """The lines of each stage, in their order."""
    parts = STAGE.split(text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _mend_former_runs() -> Iterator[str]:
    """Removes what DVC began to remember of a run and did not end: it would stumble over it."""
    mended = 0
    runs = _cache() / "runs"
    for entry in [*runs.glob("*/*/*"), *runs.glob("*/*")]:
        if entry.is_dir() and not any(entry.iterdir()):
            entry.rmdir()
            mended += 1
        elif entry.is_file() and (entry.name.startswith(".") or not entry.stat().st_size):
            entry.unlink()
    if mended:
        yield f"DVC was killed while it noted a run in {runs}; {mended} unfinished notes were removed"


def _cache() -> Path:
    """The folder of DVC's cache."""
    config = configparser.ConfigParser(interpolation=None)
    with suppress(configparser.Error, UnicodeDecodeError):  # DVC says that it cannot be read
        config.read([TMP.parent / "config", TMP.parent / "config.local"], encoding="utf-8")
    return TMP.parent / config.get("cache", "dir", fallback="cache")
