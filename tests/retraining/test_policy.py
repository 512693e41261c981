"""What is decided about what was seen."""

import pytest

from lrfr.retraining.decisions import Batch
from lrfr.retraining.policy import Seen, drifted, judge
from lrfr.retraining.settings import Gate, Retrain

LIMITS = Retrain(
    arrivals="in", unusable=0.2, wrong_names=0.5, faces=40, growth=0.2, verdicts=100, drift=0.01, sample=500, overdue=9,
    gate=Gate(hr_loss=0.02, latency=50.0, size=100.0),
)  # fmt: skip


def batch(admitted=True, named=30, *reasons):
    return Batch(digest="d", admitted=admitted, files=30, faces=30, named=named, people=10, reasons=list(reasons))


def drift(drifted):
    return {"drifted": drifted, "columns": {"brightness": {"p_value": 1e-9 if drifted else 0.5, "drifted": drifted}}}


def seen(batches, drifted=None, **changed):
    usual = {"drifted_before": False, "waiting": 0, "there": 1000, "verdicts": 0, "due": None}
    found = {f"w{number}": one for number, one in enumerate(batches)}
    return Seen(found, None if drifted is None else drift(drifted), **usual | changed)


@pytest.mark.parametrize(
    ("what", "decision", "why"),
    [
        (seen([]), "nothing", "no batch arrived"),
        (seen([batch()], False, waiting=30), "nothing", "did not drift; 30 named faces"),
        (seen([batch()], True, waiting=30), "warn", "drifted in brightness, and no more than 30"),
        (seen([batch()], True, waiting=40), "retrain", "drifted in brightness, and 40"),
        (seen([batch()], False, waiting=40, drifted_before=True), "retrain", "earlier arrivals had drifted"),
        (seen([batch()], False, waiting=199), "nothing", "200 would be worth"),
        (seen([batch()], False, waiting=200), "retrain", "200 named faces"),
        (seen([], verdicts=99), "nothing", "no batch"),
        (seen([], verdicts=100), "retrain", "100 new verdicts"),
        (seen([batch(False, 0, "all is torn")], None), "warn", "w0: refused, 30 faces of 10 named people: all is torn"),
        (seen([batch(), batch(False)], True, waiting=60), "retrain", "drifted"),
        (seen([], due="2026-01-05T03:00:00Z"), "retrain", "decided on at 2026-01-05T03:00:00Z has not ended"),
    ],
)
def test_what_is_decided(what, decision, why):
    made, reasons = judge(what, LIMITS)
    assert made == decision and why in reasons[0], reasons


def test_drift_is_judged_by_the_level_of_one_who_looks_every_week():
    columns = {f"c{n}": {"p_value": 0.5, "drifted": False} for n in range(9)} | {
        "c": {"p_value": 2e-3, "drifted": True}
    }
    found = {"drifted": True, "columns": columns, "embeddings": None, "below_quality": {"p_value": 0.5}}
    assert drifted(found, 0.05) == ["c"] and drifted(found, 0.01) == []
    assert drifted(found | {"below_quality": {"p_value": 1e-6}}, 0.01) == ["below_quality"]
    assert drifted(None, 0.05) == []


def test_every_batch_is_among_the_reasons():
    _, reasons = judge(seen([batch(), batch(False, 3, "torn")], True, waiting=60), LIMITS)
    assert [line.partition(":")[0] for line in reasons[1:]] == ["w0", "w1"]
