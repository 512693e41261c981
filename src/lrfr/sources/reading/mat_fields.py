"""Some fields of a .mat file as JSON on standard output: ``python mat_fields.py PARENT SECONDS FILE NAME...``.

A process of its own, which :mod:`lrfr.sources.reading.mat_lists`, in the process PARENT, starts: scipy's reader is C
code, and a damaged file can end the process that reads it, or keep it busy for ever. It imports nothing of lrfr, and so
starts in half a second.
"""

import ctypes
import json
import os
import signal
import sys
from typing import Any

import numpy as np

HDF5, UNREADABLE = 3, 4  # exit statuses
PARENT_IS_GONE = 1  # PR_SET_PDEATHSIG of Linux: the signal that comes then


def main() -> int:
    """Prints a shape and the cells, row by row, of each field that is there; says on stderr what is wrong."""
    parent, seconds, path, *names = sys.argv[1:]
    _end_with(int(parent))
    signal.alarm(int(seconds))
    from scipy.io import loadmat

    try:
        content = loadmat(path, variable_names=names)
        fields = {name: np.asarray(content[name]) for name in names if name in content}
        told = {
            name: {"shape": field.shape, "cells": [_plain(cell) for cell in field.ravel()]}
            for name, field in fields.items()
        }
        print(json.dumps(told))
    except NotImplementedError:
        return HDF5
    except Exception as error:  # a broken file fails in scipy's depths in many ways
        print(str(error) or type(error).__name__, file=sys.stderr)
        return UNREADABLE
    return 0


def _end_with(parent: int) -> None:
    """Lets the kernel end this process when ``parent`` is killed: in C code no thread of Python's would notice."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_IS_GONE, signal.SIGKILL)
        if os.getppid() != parent:  # it was gone before
            sys.exit(UNREADABLE)


def _plain(cell: Any) -> str | float | int | None:
    """What a cell holds, out of the cells around it; None where it is neither text nor a number."""
    while isinstance(cell, np.ndarray) and cell.size == 1:
        cell = cell.reshape(-1)[0]
    value = cell.item() if isinstance(cell, np.generic) else cell
    return value if isinstance(value, str | int | float) else None


if __name__ == "__main__":
    sys.exit(main())
