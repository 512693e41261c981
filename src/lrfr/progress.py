"""Progress of long work: count, rate and time left."""

import sys
from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def track(items: Iterable[Item], doing: str, total: int | None = None, unit: str = "image") -> "tqdm[Item]":
    """Wraps an iterable in a progress bar; when nobody watches a terminal, a line every few seconds."""
    interval = 0.2 if sys.stderr.isatty() else 5.0
    return tqdm(items, desc=doing, total=total, unit=f" {unit}", mininterval=interval, ncols=100, smoothing=0.1)
