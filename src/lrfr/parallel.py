"""Work spread over the cores: the same results in the same order, whatever the number of processes."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context
from typing import TypeVar

from lrfr.errors import ProcessLostError
from lrfr.lifetime import end_with_parent
from lrfr.progress import track

CHUNK = 4  # items that a process takes at a time; starting a process for fewer costs more than it saves
SHARED_MEMORY = "/dev/shm"
AHEAD = 3  # chunks that wait or are done for each process

Item = TypeVar("Item")
Result = TypeVar("Result")


def cores() -> int:
    """How many cores this process may use, which can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def parallel_map(
    work: Callable[[Item], Result], items: Iterable[Item], doing: str, unit: str, total: int | None = None
) -> Iterator[Result]:
    """Does ``work`` on each item in a process per core, with progress; yields the results in the items' order.

    Few items, or one core, stay in this process. Items are taken as they are needed: they need not all fit the memory.

    Args:
        work: can be pickled, as the items and the results can; its result depends on the item alone.
        items: what is worked on.
        doing: what the progress bar says.
        unit: what one item is called there.
        total: how many items there are, where they cannot be counted.

    Raises:
        ProcessLostError: a process was killed, or crashed.
    """
    total = len(items) if isinstance(items, Sized) else total or 0
    count = min(cores(), total // CHUNK)
    if count < 2:
        yield from _alone(work, items, doing, unit, total)
        return
    # Spawned, not forked: OpenCV's and pyarrow's threads do not survive a fork.
    with _naming_shared_memory():
        pool = ProcessPoolExecutor(count, get_context("spawn"), initializer=_begin)
    with pool:
        remaining = iter(items)
        chunks = iter(lambda: list(islice(remaining, CHUNK)), [])
        done = map_in_order(pool, _Each(work), chunks, count * AHEAD)
        try:
            yield from track((result for chunk in done for result in chunk), doing, total, unit)
        except BrokenProcessPool as error:
            what = (
                f"a process ended that was {doing}: it was killed, perhaps for want of memory, or crashed on its {unit}"
            )
            remedy = "run the same command again; if it fails again, free memory, or take the last files out"
            raise ProcessLostError(what, remedy=remedy) from error


@contextmanager
def _naming_shared_memory() -> Iterator[None]:
    """Lets what the system says of the semaphores that processes share name their place."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or SHARED_MEMORY
        raise


def map_in_order(
    pool: Executor, work: Callable[[Item], Result], items: Iterable[Item], waiting: int
) -> Iterator[Result]:
    """The results of ``work`` on each item, in the items' order; at most ``waiting`` items are taken ahead."""
    results = deque()
    try:
        for item in items:
            results.append(pool.submit(work, item))
            if len(results) > waiting:
                yield results.popleft().result()
        while results:
            yield results.popleft().result()
    finally:
        for result in results:
            result.cancel()


class _Each:
    """Work on each item of a chunk."""

    def __init__(self, work: Callable) -> None:
        self._work = work

    def __call__(self, items: list) -> list:
        return [self._work(item) for item in items]


def _alone(
    work: Callable[[Item], Result], items: Iterable[Item], doing: str, unit: str, total: int
) -> Iterator[Result]:
    """The same in this process; OpenCV has one thread here too, so that it rounds alike."""
    before = _limit_opencv(1)
    try:
        yield from track(map(work, items), doing, total, unit)
    finally:
        _limit_opencv(before)


def _begin() -> None:
    """Begins a process of the pool."""
    end_with_parent()
    _limit_opencv(1)


def _limit_opencv(threads: int) -> int:
    """Sets the number of OpenCV's threads, and returns what it was."""
    import cv2  # only here: who merely counts the cores need not wait for it

    before = cv2.getNumThreads()
    cv2.setNumThreads(threads)
    return before
