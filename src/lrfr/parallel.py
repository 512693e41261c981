"""Work spread over the cores: the same results in the same order, whatever the number of processes."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

from lrfr.progress import track

CHUNK = 4  # items that a process takes at a time; starting a process for fewer costs more than it saves

Item = TypeVar("Item")
Result = TypeVar("Result")


def cores() -> int:
    """How many cores this process may use, which can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def parallel_map(work: Callable[[Item], Result], items: Sequence[Item], doing: str, unit: str) -> Iterator[Result]:
    """Does ``work`` on each item in a process per core, with progress; yields the results in the items' order.

    Few items, or one core, stay in this process.

    Args:
        work: can be pickled, as the items and the results can; its result depends on the item alone.
        items: what is worked on.
        doing: what the progress bar says.
        unit: what one item is called there.
    """
    count = min(cores(), len(items) // CHUNK)
    if count < 2:
        yield from _alone(work, items, doing, unit)
        return
    # Spawned, not forked: OpenCV's and pyarrow's threads do not survive a fork.
    with ProcessPoolExecutor(count, get_context("spawn"), initializer=_limit_opencv, initargs=(1,)) as pool:
        yield from track(pool.map(work, items, chunksize=CHUNK), doing, len(items), unit)


def _alone(work: Callable[[Item], Result], items: Sequence[Item], doing: str, unit: str) -> Iterator[Result]:
    """The same in this process; OpenCV has one thread here too, so that it rounds alike."""
    before = _limit_opencv(1)
    try:
        yield from track(map(work, items), doing, len(items), unit)
    finally:
        _limit_opencv(before)


def _limit_opencv(threads: int) -> int:
    """Sets the number of OpenCV's threads, and returns what it was."""
    import cv2  # only here: who merely counts the cores need not wait for it

    before = cv2.getNumThreads()
    cv2.setNumThreads(threads)
    return before
