import numpy as np
import pytest

from lrfr.errors import BenchmarkError
from lrfr.protocols import rifr
from lrfr.protocols.views import views
from tests.protocols.benchmarks import OPTIONS, benchmark, cosines, embed, row
from tests.protocols.small_sets import distractor_set


@pytest.mark.parametrize(("protocol", "gallery"), [("p1", "width_20"), ("p2", "full")])
def test_each_image_joins_the_distractors_in_turn(protocol, gallery):
    faces = distractor_set()
    embeddings = embed(faces, noise=0.7, views=("width_20", "width_25"), missing=[2, 20])
    outcome = rifr.evaluate(faces, embeddings, OPTIONS, 0)
    score, identity = cosines(embeddings, "width_20", gallery), faces.identity
    distractors, rates = np.flatnonzero(identity < 0), []
    for person in range(1, 5):
        images = np.flatnonzero(identity == person)
        runs = [
            score[probe, mate] > score[probe, distractors].max() for mate in images for probe in images if probe != mate
        ]
        rates.append(np.mean(runs))
    assert outcome.figures[protocol]["rank1"]["20"] == pytest.approx(np.mean(rates), abs=1e-6)
    assert 0 < np.mean(rates) < 1
    assert list(outcome.figures[protocol]["rank1"]) == ["20", "25"]


@pytest.mark.parametrize(("protocol", "gallery"), [("p1", "width_25"), ("p2", "full")])
def test_verification_has_all_pairs_of_probes_and_all_with_distractors(protocol, gallery):
    faces = distractor_set()
    embeddings = embed(faces, noise=0.7, views=("width_20", "width_25"))
    figures = rifr.evaluate(faces, embeddings, OPTIONS, 0).figures[protocol]["verification"]
    score, identity = cosines(embeddings, "width_25", gallery), faces.identity
    probes, genuine, impostor = np.flatnonzero(identity >= 0), [], []
    for one in probes:
        for other in range(len(identity)):
            if one == other or (protocol == "p1" and other in probes and other < one):
                continue
            (genuine if identity[one] == identity[other] else impostor).append(score[one, other])
    assert (figures["n_genuine"], figures["n_impostor"]) == (len(genuine), len(impostor))
    expected = max(np.mean(np.array(genuine) >= t) for t in genuine if np.mean(np.array(impostor) >= t) <= 0.01)
    assert figures["tar"]["0.01"] == pytest.approx(expected, abs=1e-6)
    assert figures["tar"]["0.0001"] is None


def test_a_distractor_that_ties_with_the_mate_wins():
    faces = benchmark([row("a", "p"), row("b", "p"), row("c")])
    embeddings = embed(faces, views=("width_20", "width_25"))
    for vectors in embeddings.stored.values():
        vectors[:] = vectors[0]
    assert rifr.evaluate(faces, embeddings, OPTIONS, 0).figures["p1"]["rank1"]["20"] == 0.0


@pytest.mark.filterwarnings("error")
def test_people_who_all_miss_are_never_found():
    faces = distractor_set()
    people = np.flatnonzero(faces.identity >= 0)
    embeddings = embed(faces, views=("width_20", "width_25"), missing=people)
    figures = rifr.evaluate(faces, embeddings, OPTIONS, 0).figures
    assert figures["p1"]["rank1"] == figures["p2"]["rank1"] == {"20": 0.0, "25": 0.0}
    assert figures["p1"]["verification"]["tar"]["0.01"] == 0
    assert figures["n_missing"] == len(people)


def test_it_asks_for_the_width_of_the_verification():
    assert views("rifr", OPTIONS) == ("width_20", "width_25")


def test_people_and_distractors_are_needed():
    for rows in ([row("a", "p"), row("b", "p")], [row("a")], [row("a", "p"), row("b", "q"), row("c")]):
        with pytest.raises(BenchmarkError, match="distractors"):
            rifr.evaluate(faces := benchmark(rows), embed(faces), OPTIONS, 0)
