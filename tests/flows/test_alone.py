"""A run whose end the server did not hear of is told to it by the next one."""

import json

import httpx
import pytest
from prefect import runtime
from prefect.exceptions import ObjectNotFound

from flows import alone

URL = "http://127.0.0.1:4200/api"


@pytest.fixture
def told(tmp_path, monkeypatch):
    """A project in which three runs were noted; of one the server knows nothing, of one it cannot be told."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PREFECT_API_URL", URL)
    monkeypatch.setattr(alone, "_noted_here", [])
    monkeypatch.setattr(runtime.flow_run, "id", "now", raising=False)
    asked = []

    def declare(run, why):
        asked.append(run)
        if run != "lost":
            raise ObjectNotFound(OSError()) if run == "unknown" else OSError("away")

    monkeypatch.setattr(alone, "_declare_crashed", declare)
    alone.RUNS.parent.mkdir(parents=True)
    alone.RUNS.write_text(json.dumps([[URL, "lost"], [URL, "unknown"], [URL, "untold"], ["http://other/api", "x"]]))
    return asked


def test_runs_that_ended_without_the_server_are_told_once(told):
    with alone.alone("monitor"), alone.alone("retrain"):
        pass
    assert told == ["lost", "unknown", "untold"]
    left = [[URL, "untold"], ["http://other/api", "x"], [URL, "now"], [URL, "now"]]
    assert json.loads(alone.RUNS.read_text()) == left


def test_a_damaged_note_stops_nothing(told):
    alone.RUNS.write_text('[["x"], {')
    with alone.alone("monitor"):
        pass
    assert told == [] and json.loads(alone.RUNS.read_text()) == [[URL, "now"]]


def test_a_server_that_goes_away_in_the_middle_is_one_message(tmp_path, monkeypatch, capsys):
    def work():
        raise httpx.ConnectError("Connection refused")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PREFECT_API_URL", URL)
    assert alone.run_alone("monitor", work, "so") == 1
    said = capsys.readouterr().err
    assert said == (
        "error: Prefect's server went away in the middle: Connection refused\n"
        f"  where: PREFECT_API_URL={URL}\n  what to do: start it; then the next run goes on\n"
    )
