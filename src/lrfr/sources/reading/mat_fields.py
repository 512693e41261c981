"""Some fields of a .mat file as JSON on standard output: ``python mat_fields.py SECONDS FILE NAME...``.

A process of its own, which :mod:`lrfr.sources.reading.mat_lists` starts: scipy's reader is C code, and a damaged file
can end the process that reads it, or keep it busy for ever. It imports nothing of lrfr, and so starts in half a second.
"""

import json
import signal
import sys
from typing import Any

import numpy as np

HDF5, UNREADABLE = 3, 4  # exit statuses


def main() -> int:
    """Prints a shape and the cells, row by row, of each field that is there; says on stderr what is wrong."""
    seconds, path, *names = sys.argv[1:]
    signal.alarm(int(seconds))  # also when whoever waits for it was killed
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


def _plain(cell: Any) -> str | float | int | None:
    """What a cell holds, out of the cells around it; None where it is neither text nor a number."""
    while isinstance(cell, np.ndarray) and cell.size == 1:
        cell = cell.reshape(-1)[0]
    value = cell.item() if isinstance(cell, np.generic) else cell
    return value if isinstance(value, str | int | float) else None


if __name__ == "__main__":
    sys.exit(main())
