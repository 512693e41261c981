"""One flow at a time: who holds the project is said, and a holder that was killed is recognised."""

import os
import signal
import subprocess
import sys

import pytest

from lrfr import flow_lock
from lrfr.errors import OccupiedError

HOLD = """
import sys, time
from lrfr.flow_lock import held
with held("monitor", "a-run"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path, monkeypatch):
    """Another process that holds the lock."""
    monkeypatch.chdir(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.stdin.close()


def test_the_second_is_told_who_holds_the_project_and_since_when(other):
    with (
        pytest.raises(OccupiedError, match=rf"monitor, process {other.pid}, since 20\d\d-") as error,
        flow_lock.held("x"),
    ):
        pass
    assert "what to do: wait" in str(error.value)
    assert flow_lock.is_held()
    assert flow_lock.noted().process == other.pid


def test_a_killed_holder_is_recognised_and_its_place_taken(other):
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    assert not flow_lock.is_held()
    with flow_lock.held("retrain") as killed:
        assert (killed.flow, killed.process, killed.run) == ("monitor", other.pid, "a-run")
        assert flow_lock.noted().process == os.getpid()
    assert flow_lock.noted() is None
    with flow_lock.held("retrain") as killed:
        assert killed is None


def test_within_a_flow_another_one_may_run_and_tells_its_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with flow_lock.held("monitor"):
        with flow_lock.held("retrain", "its-run") as killed:
            assert killed is None
        assert flow_lock.is_held()
        assert flow_lock.noted() == flow_lock.Holder("monitor", os.getpid(), flow_lock.noted().since, "its-run")
    assert not flow_lock.is_held()


def test_an_error_within_frees_the_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RuntimeError), flow_lock.held("monitor"):
        raise RuntimeError
    assert flow_lock.noted() is None and not flow_lock.is_held()


def test_a_damaged_note_says_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flow_lock.NOTE.parent.mkdir(parents=True)
    flow_lock.NOTE.write_text('{"flow": ')
    assert flow_lock.noted() is None
    with flow_lock.held("monitor") as killed:
        assert killed is None
