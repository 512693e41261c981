"""Processes that end with the one that started them, however that one ended: killed, it cannot tell them to."""

import os
import signal
import time
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
from threading import Thread


def end_with_parent() -> None:
    """Lets this process, one of a pool's or a loader's, end at once when the process that started it is gone."""
    parent = parent_process()
    if parent is not None:
        Thread(target=_exit_after, args=[parent], daemon=True).start()


def stop_with_launcher() -> None:
    """Asks this process to stop, as a scheduler would, when the launcher (``torchrun``) that started it is gone."""
    Thread(target=_stop_after, args=[os.getppid()], daemon=True).start()


def _exit_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _stop_after(launcher: int) -> None:
    while os.getppid() == launcher:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
