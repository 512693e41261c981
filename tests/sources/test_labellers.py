import pytest

from lrfr.core.verdicts import ADJUDICATED, Outcome, resolve
from lrfr.curation import Labeller
from lrfr.sources.labellers import simulate

TRUTH = {f"face{n:04d}": ("face", "face", "unrecognizable", "not_face")[n % 4] for n in range(2000)}
HABITS = {
    "anna": Labeller(error_rate=0.1, unsure_rate=0.05),
    "boris": Labeller(error_rate=0.0, unsure_rate=0.2),
}


@pytest.fixture(scope="module")
def manifests():
    return simulate(TRUTH, HABITS, seed=3)


def test_labellers_err_and_doubt_as_often_as_asked(manifests):
    for name, habits in HABITS.items():
        said = [(line.verdict, TRUTH[line.face_id]) for line in manifests[name]]
        unsure = sum(verdict == "unsure" for verdict, _ in said) / len(said)
        wrong = sum(verdict not in ("unsure", truth) for verdict, truth in said) / len(said)
        assert unsure == pytest.approx(habits.unsure_rate, abs=0.03)
        assert wrong == pytest.approx(habits.error_rate, abs=0.03)


def test_the_expert_settles_exactly_what_is_disputed(manifests):
    outcomes = resolve(line for name, lines in manifests.items() if name != ADJUDICATED for line in lines)
    disputed = {face for face, outcome in outcomes.items() if outcome.verdict is None}
    assert {line.face_id for line in manifests[ADJUDICATED]} == disputed
    settled = resolve(line for lines in manifests.values() for line in lines)
    assert all(settled[face] == Outcome(TRUTH[face], True) for face in disputed)


def test_a_verdict_depends_on_nothing_but_seed_labeller_and_face(manifests):
    half = dict(list(TRUTH.items())[::-2])
    again = simulate(half, {"boris": HABITS["boris"]}, seed=3)
    said = {line.face_id: line.verdict for line in manifests["boris"]}
    assert {line.face_id: line.verdict for line in again["boris"]} == {face: said[face] for face in half}
    assert simulate(TRUTH, HABITS, seed=4) != manifests


def test_lines_are_in_time_order(manifests):
    for lines in manifests.values():
        assert [line.at for line in lines] == sorted(line.at for line in lines)
    assert manifests[ADJUDICATED][0].at > manifests["anna"][-1].at
