"""Runs a command that ends with whoever started it: ``python leash.py COMMAND``, at the head of a process group.

Standard input is a pipe of the starter's; when its end is reached, the starter is gone, killed perhaps.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

STOPPING = ((signal.SIGINT, 60), (signal.SIGTERM, 10), (signal.SIGKILL, 10))  # and the patience with each, s


def main() -> int:
    """Returns the command's exit status, as a shell does."""
    for number in (signal.SIGINT, signal.SIGTERM):  # sent to the whole group; the command's end is this one's too
        signal.signal(number, lambda *_: None)
    command = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with_starter, args=[command], daemon=True).start()
    status = command.wait()
    return 128 - status if status < 0 else status


def _end_with_starter(command: subprocess.Popen[bytes]) -> None:
    os.read(0, 1)  # nothing is ever written; sys.stdin would hold its lock while this process ends
    for number, patience in STOPPING:
        os.killpg(0, number)
        with suppress(subprocess.TimeoutExpired):
            command.wait(patience)
            return


if __name__ == "__main__":
    sys.exit(main())
