"""Labellers measured on gold faces: simulated ones who stay as they are, and who do not."""

from datetime import UTC, datetime, timedelta

import pytest

from lrfr.core.gold import Gold
from lrfr.core.verdicts import WITHDRAWN, Verdict
from lrfr.curation import Labeller
from lrfr.quality.labeller_accuracy import WINDOW, accuracy_on_gold
from lrfr.sources.labellers import simulate

TRUTH = {f"f{n:04d}": ("face", "face", "not_face", "unrecognizable")[n % 4] for n in range(600)}
GOLD = {face: Gold(verdict) for face, verdict in TRUTH.items()}
GOOD, POOR = Labeller(error_rate=0.03, unsure_rate=0.02), Labeller(error_rate=0.3, unsure_rate=0.02)
START = datetime(2024, 5, 1, tzinfo=UTC)


def judged(habits: Labeller, seed: int = 0) -> list[Verdict]:
    return simulate(TRUTH, {"anna": habits}, seed)["anna"]


def test_a_labeller_who_grows_careless_is_flagged():
    tired = judged(GOOD)[: -2 * WINDOW] + judged(POOR)[-2 * WINDOW :]
    standing = accuracy_on_gold(tired, GOLD)["anna"]
    assert standing["drifts"] is True
    assert standing["windows"][-1]["interval"][1] < standing["earlier"]["interval"][0]
    assert sum(window["faces"] for window in standing["windows"]) == standing["faces"] == len(TRUTH)


@pytest.mark.parametrize("habits", [GOOD, POOR])
def test_who_stays_as_they_are_is_seldom_flagged_however_often_they_err(habits):
    flagged = [accuracy_on_gold(judged(habits, seed), GOLD)["anna"]["drifts"] for seed in range(100)]
    assert sum(flagged) <= 2


def test_accuracy_is_the_share_of_right_verdicts_and_unsure_is_not_right():
    lines = judged(POOR)
    standing = accuracy_on_gold(lines, GOLD)["anna"]
    right = sum(line.verdict == TRUTH[line.face_id] for line in lines) / len(lines)
    assert standing["accuracy"] == pytest.approx(right, abs=1e-6)
    z = 1.959964  # Wilson's interval, solved for p
    middle, half = right + z**2 / 1200, z * (right * (1 - right) / 600 + z**2 / (4 * 600**2)) ** 0.5
    expected = [(middle - half) / (1 + z**2 / 600), (middle + half) / (1 + z**2 / 600)]
    assert standing["interval"] == pytest.approx(expected, abs=1e-5)


def test_few_gold_faces_tell_nothing():
    standing = accuracy_on_gold(judged(GOOD)[: 2 * WINDOW - 1], GOLD)["anna"]
    assert standing["drifts"] is None
    assert standing["earlier"]["faces"] == WINDOW - 1
    assert accuracy_on_gold(judged(GOOD)[:1], GOLD)["anna"]["earlier"] is None


def test_verdicts_that_made_the_gold_do_not_count_nor_what_was_taken_back():
    def said(face, verdict, days, note="", labeller="anna"):
        return Verdict(face, verdict, labeller, START + timedelta(days=days), note, labeller, 2)

    gold = {"f1": Gold("face", START + timedelta(days=1)), "f2": Gold("face")}
    lines = [said("f1", "face", 0), said("f1", "not_face", 2, labeller="boris"), said("f2", "unsure", 3, WITHDRAWN)]
    assert {name: found["accuracy"] for name, found in accuracy_on_gold(lines, gold).items()} == {"boris": 0.0}
