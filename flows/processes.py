"""Subprocesses of a flow: their output line by line, and their end, gentle first, when the flow is interrupted.

Each runs on a leash (``flows/leash.py``), which ends it likewise when the flow is killed.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from flows.leash import STOPPING

LEASH = Path(__file__).with_name("leash.py")


class Processes:
    """The subprocesses of the running stages, each the head of a process group of its own."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._stopping = threading.Event()

    def stream(self, command: list[str], say: Callable[[str], object]) -> tuple[int, list[str]]:
        """Runs a command and says each line that it prints; returns its exit status and its last lines."""
        commands = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # lrfr lies beside this Python
        process = subprocess.Popen(
            [sys.executable, "-P", str(LEASH), *command],
            stdin=subprocess.PIPE,  # which the kernel closes when this process is gone
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,  # a carriage return, with which progress is redrawn, ends a line too
            errors="replace",
            start_new_session=True,
            env={**os.environ, "PATH": commands, "PYTHONUNBUFFERED": "1"},
        )
        self._running.add(process)
        if self._stopping.is_set():  # the interrupt came while the process started
            os.killpg(process.pid, signal.SIGKILL)
        last: deque[str] = deque(maxlen=40)
        try:
            for line in process.stdout or ():
                if line := line.rstrip():
                    say(line)
                    last.append(line)
            return process.wait(), list(last)
        finally:
            if process.stdin:
                process.stdin.close()
            self._running.discard(process)

    def stop(self) -> None:
        """Asks the running stages to stop, so that training saves its state; kills those that do not listen.

        Nothing can be started after that.
        """
        self._stopping.set()
        for number, patience in STOPPING:
            deadline = time.monotonic() + patience
            for process in list(self._running):
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
            with suppress(KeyboardInterrupt):  # whoever asks twice is not patient
                while self._running and time.monotonic() < deadline:
                    time.sleep(0.1)
            if not self._running:
                return
