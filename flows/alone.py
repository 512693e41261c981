"""One flow at a time in a project, and what a user is told where it cannot begin or go on."""

import sys
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout
from prefect.exceptions import FailedRun

from lrfr.circumstances import told
from lrfr.errors import LrfrError
from lrfr.files import check_writable

LOCK = Path(".dvc/tmp/flow.lock")  # with DVC's own locks: one flow in a project, wherever Prefect is at home


def run_alone(work: Callable[[], None], interrupted: str) -> int:
    """Does the work if no other flow runs in the project.

    Args:
        work: what to do.
        interrupted: what to say after an interrupt.

    Returns:
        The exit status: 0, 1 after a failure, 130 after an interrupt.
    """
    try:
        check_writable(LOCK)
        with FileLock(LOCK, timeout=0):
            work()
    except Timeout:
        return _failed("a flow already runs in this project; wait until it ends, or stop it")
    except KeyboardInterrupt:
        print(f"error: interrupted; {interrupted}", file=sys.stderr)
        return 130
    except (LrfrError, FailedRun) as error:
        return _failed(error)
    except OSError as error:
        if (message := told(error)) is None:
            raise
        return _failed(message)
    return 0


def _failed(what: object) -> int:
    print(f"error: {what}", file=sys.stderr)
    return 1
