import numpy as np
import pytest

from lrfr.core import closed_set, open_set
from lrfr.core.gallery_search import RANKED, Search, Templates, search
from lrfr.errors import EmbeddingError

RNG = np.random.default_rng(0)
PEOPLE = RNG.normal(size=(60, 8))
WHO = np.r_[np.arange(60), np.arange(60), np.arange(20)]  # templates 0..59 enrol, the others are searched for
VECTORS = PEOPLE[WHO] + RNG.normal(size=(len(WHO), 8))
TEMPLATES = Templates(np.arange(len(WHO)), VECTORS, np.zeros(len(WHO), bool))
PROBE = np.arange(60, len(WHO))


def wanted(*galleries):
    return {f"G{n}": Search(rows, WHO[rows], PROBE, WHO[PROBE]) for n, rows in enumerate(galleries, 1)}


FIRST, SECOND = np.arange(20), np.arange(20, 60)


def test_each_gallery_is_the_closed_and_the_open_set_of_its_people():
    found = search(wanted(FIRST, SECOND), TEMPLATES, TEMPLATES)
    figures = found.figures(100, 1)
    for name, rows in (("G1", FIRST), ("G2", SECOND), ("both", np.arange(60))):
        mated = PROBE[np.isin(WHO[PROBE], WHO[rows])]
        closed = closed_set(VECTORS[mated], WHO[mated], VECTORS[rows], WHO[rows])
        assert figures[name]["closed"] == closed.figures(WHO[mated], 100, 1)
        if name == "both":
            assert figures[name]["open"] is None
            continue
        unmated = PROBE[~np.isin(PROBE, mated)]
        opened = open_set(VECTORS[rows], WHO[rows], VECTORS[mated], WHO[mated], VECTORS[unmated], rank=len(rows))
        assert figures[name]["open"] == opened.figures((0.01, 0.1), 100, 1)


def test_the_mean_is_over_galleries_whatever_their_sizes():
    found = search(wanted(FIRST, SECOND), TEMPLATES, TEMPLATES)
    figures = found.figures(1000, 0)
    first, second, mean = (figures[name] for name in ("G1", "G2", "mean"))
    for k in RANKED:
        name = f"rank{k}"
        expected = (first["closed"][name] + second["closed"][name]) / 2
        assert mean["closed"][name] == pytest.approx(expected, abs=1e-6)
        assert found.cmc()[k - 1] == pytest.approx(expected, abs=1e-6)
        low, high = mean["closed"][f"{name}_interval"]
        assert low <= expected <= high
    assert mean["open"]["fnir"]["0.1"] == pytest.approx(
        (first["open"]["fnir"]["0.1"] + second["open"]["fnir"]["0.1"]) / 2, abs=1e-6
    )
    low, high = mean["open"]["fnir_interval"]["0.1"]
    assert low < mean["open"]["fnir"]["0.1"] < high
    # half of the sum of two galleries that are drawn by themselves varies as the two together do
    widths = [of["open"]["fnir_interval"]["0.1"] for of in (first, second)]
    assert high - low == pytest.approx(np.hypot(*(end - start for start, end in widths)) / 2, rel=0.25)
    assert mean["open"]["fnir"]["0.01"] is mean["open"]["fnir_interval"]["0.01"] is None
    assert mean["open"]["not_resolvable"] == ["FPIR 0.01: not resolvable in every gallery"]


def test_nobody_knows_an_unknown_probe():
    rows = np.arange(20)
    unknown = np.where(np.arange(len(PROBE)) < 5, -1, WHO[PROBE])
    one = Search(rows, np.where(rows == 0, -1, WHO[rows]), PROBE, unknown)
    assert not one.mated[:5].any()


def test_a_gallery_of_strangers_is_refused():
    with pytest.raises(EmbeddingError, match="no probe's identity"):
        search({"G1": Search(FIRST, WHO[FIRST] + 1000, PROBE, WHO[PROBE])}, TEMPLATES, TEMPLATES)
