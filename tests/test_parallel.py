"""Work over the cores: in order, and alike whatever the number of processes."""

import os
import signal

import cv2
import pytest

from lrfr import parallel
from lrfr.errors import ProcessLostError


def look(item: int) -> tuple[int, int, int]:
    """The item, where it is worked on, and OpenCV's threads there."""
    return item, os.getpid(), cv2.getNumThreads()


def fail(item: int) -> int:
    if item == 5:
        raise ValueError(f"item {item}")
    return item


def parallel_map(count, items, monkeypatch, work=look):
    monkeypatch.setattr(parallel, "cores", lambda: count)
    return list(parallel.parallel_map(work, items, "looking", "item"))


def test_items_go_to_other_processes_and_come_back_in_order(monkeypatch):
    seen = parallel_map(2, range(21), monkeypatch)
    assert [item for item, _, _ in seen] == list(range(21))
    assert os.getpid() not in {process for _, process, _ in seen}
    assert {threads for _, _, threads in seen} == {1}


@pytest.mark.parametrize(("count", "items"), [(1, range(21)), (8, range(5)), (8, [])])
def test_one_core_or_few_items_start_no_process(monkeypatch, count, items):
    before = cv2.getNumThreads()
    seen = parallel_map(count, items, monkeypatch)
    assert seen == [(item, os.getpid(), 1) for item in items]
    assert cv2.getNumThreads() == before


@pytest.mark.parametrize("count", [1, 2])
def test_an_error_comes_through_and_opencv_gets_its_threads_back(monkeypatch, count):
    before = cv2.getNumThreads()
    with pytest.raises(ValueError, match="item 5"):
        parallel_map(count, range(8), monkeypatch, fail)
    assert cv2.getNumThreads() == before


def test_cores_are_those_that_this_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert parallel.cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert parallel.cores() == 1


def die(item: int) -> int:
    if item == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def test_a_process_that_is_lost_is_one_message(monkeypatch):
    with pytest.raises(ProcessLostError, match="a process ended that was looking: it was killed"):
        parallel_map(2, range(8), monkeypatch, die)
