"""The gates, and their picture."""

from xml.etree import ElementTree

import numpy as np
import pytest

from lrfr.core.significance import Comparison, better
from lrfr.retraining.decisions import Decision
from lrfr.retraining.gate import Observed, judge
from lrfr.retraining.pictures import gate_picture
from lrfr.retraining.settings import Gate

LIMITS = Gate(hr_loss=0.02, latency=50.0, size=100.0)
BETTER, SAME, WORSE = (Comparison(d, (d - 0.01, d + 0.01), 0.01) for d in (0.05, 0.0, -0.05))


def passed(native=BETTER, hr=SAME, latency=5.0, size=9.0):
    return [gate["passed"] for gate in judge(Observed(native, hr, latency, size), LIMITS)]


def test_each_gate_closes_by_itself():
    assert passed() == [True] * 4
    assert passed(native=SAME) == passed(native=WORSE) == [False, True, True, True]
    assert passed(hr=WORSE) == [True, False, True, True]
    assert passed(latency=50.1) == [True, True, False, True]
    assert passed(size=101.0) == [True, True, True, False]


def test_of_one_person_nothing_is_known():
    alone = better(np.ones(4), np.zeros(4), np.zeros(4, int))
    assert passed(native=alone)[0] is False and passed(hr=alone)[1] is False


def drawn(native, hr):
    """The texts of the gates' picture, with how far from the left they stand, px."""
    gates = judge(Observed(native, hr, 5.0, 9.0), LIMITS)
    decision = Decision(
        flow="retrain", at="x", decision="keep", reasons=["so"], champion="tiny@v0.1.0", gates=gates
    )  # fmt: skip
    texts = ElementTree.fromstring(gate_picture(decision)).iter()
    return {text.text: float(text.get("x", 0)) for text in texts if text.text}


@pytest.mark.parametrize("interval", [(0.01, 0.09), None])
def test_the_picture_shows_both_differences(interval):
    texts = drawn(Comparison(0.05, interval, 0.01), SAME)
    assert "+5.0" in texts and "+0.0" in texts  # points, no percent
    assert any("native LR" in text for text in texts) and any("HR" in text for text in texts)


def test_a_figure_of_the_picture_hides_no_name():
    texts = drawn(Comparison(0.138, (0.065, 0.214), 0.01), Comparison(0.117, (0.0, 0.25), 0.1))
    assert texts["+11.7"] - texts["HR"] > 60
