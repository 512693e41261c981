"""A folder that is watched: each photo is identified once it is whole, those that lie there already first."""

import time
from collections.abc import Iterator
from pathlib import Path

from lrfr.errors import ImageError
from lrfr.serve.photos import photos_in

EVERY = 1.0  # seconds between two looks

Stamp = tuple[int, int]


def arriving(folder: Path, every: float = EVERY) -> Iterator[Path]:
    """The photos of a folder, then each that comes or changes, without an end.

    A photo counts as whole when its size and time are the same at two looks; of a folder on the network too, which
    tells nobody what happens in it.

    Raises:
        ImageError: the folder is not there, or no more.
    """
    handed, before = dict[Path, Stamp](), dict[Path, Stamp]()
    while True:
        if not folder.is_dir():
            raise ImageError("there is no such folder to watch", where=folder, remedy="make it, or correct the path")
        now = _stamps(folder)
        for path, stamp in now.items():
            if before.get(path) == stamp != handed.get(path):
                handed[path] = stamp
                yield path
        handed = {path: stamp for path, stamp in handed.items() if path in now}
        before = now
        time.sleep(every)


def _stamps(folder: Path) -> dict[Path, Stamp]:
    """Size and time of each photo; one that goes meanwhile is none."""
    found = {}
    for path in photos_in(folder):
        try:
            told = path.stat()
        except FileNotFoundError:
            continue
        found[path] = (told.st_size, told.st_mtime_ns)
    return found
