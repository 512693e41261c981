"""Decisions are kept, one after the other, and never written over."""

from datetime import UTC, datetime

import pytest

from lrfr import paths
from lrfr.errors import ResultError
from lrfr.retraining.decisions import Decision, latest, moment, read_decisions, since_training, write_decision


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def made(flow, decision, **more):
    at = moment(datetime(2026, 1, 5, 3, tzinfo=UTC))
    return Decision(flow=flow, at=at, decision=decision, reasons=["so"], champion="tiny@v0.1.0", **more)


def test_the_order_is_that_of_deciding_not_of_the_clock():
    every = [made("retrain", "keep"), made("monitor", "retrain"), made("release", "released", version="v0.2.0")]
    assert [write_decision(one).name for one in every] == [
        "0001-2026-01-05-retrain.json", "0002-2026-01-05-monitor.json", "0003-2026-01-05-release.json",
    ]  # fmt: skip
    assert read_decisions() == every


def test_a_decision_is_never_written_over():
    first = write_decision(made("monitor", "nothing"))
    before = first.read_bytes()
    first.rename(paths.DECISIONS / "0041-2025-12-29-monitor.json")  # as after a merge
    assert write_decision(made("monitor", "nothing")).name.startswith("0042-")
    assert (paths.DECISIONS / "0041-2025-12-29-monitor.json").read_bytes() == before


def test_what_a_kill_left_is_no_decision():
    write_decision(made("monitor", "nothing"))
    (paths.DECISIONS / ".0002-2026-01-05-monitor.json.unfinished").write_text('{"format"')
    assert len(read_decisions()) == 1 and write_decision(made("monitor", "warn")).name.startswith("0002-")


@pytest.mark.parametrize("text", ["", "{", '{"format": 1}', '{"format": 2}', "[]"])
def test_a_damaged_decision_is_one_message(text):
    write_decision(made("monitor", "nothing"))
    (paths.DECISIONS / "0002-x-monitor.json").write_text(text)
    with pytest.raises(ResultError, match=r"0002-x-monitor\.json"):
        read_decisions()


def test_what_came_since_the_last_training():
    every = [made("monitor", "retrain"), made("retrain", "keep"), made("release", "released"), made("monitor", "warn")]
    assert since_training(every) == every[2:]
    assert since_training(every[:1]) == every[:1]
    assert latest(every, "monitor") == every[3] and latest(every[:1], "retrain") is None
