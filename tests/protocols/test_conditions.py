"""The same faces in another presentation: naive recomputations of every difference."""

import dataclasses

import numpy as np
import pytest

from lrfr.core.significance import better
from lrfr.errors import EmbeddingError
from lrfr.protocols import survface, tinyface
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.options import Options
from lrfr.protocols.views import conditions
from tests.protocols.benchmarks import OPTIONS, benchmark, cosines, embed, row
from tests.protocols.small_sets import surveillance

BOTH = Options(bootstrap=30, metric="cosine", sides=[8], widths=[20], super_resolution=["vdsr", "drrn"])
RESOLVED = ("super_resolved_vdsr", "super_resolved_drrn")


def small_set() -> Benchmark:
    people = [row(f"{n} {shot}", f"p{n}", ("probe", "gallery")[shot % 2]) for n in range(8) for shot in range(6)]
    return benchmark([*people, *(row(f"d{n}", None, "distractor") for n in range(20))])


def test_a_protocol_is_run_under_what_it_asks_for() -> None:
    names = ("tinyface", "survface", "ijb", "synlr", "folds", "scface", "rifr")
    asked = {name: conditions(name, BOTH) for name in names}
    assert asked == dict.fromkeys(names, ()) | {"tinyface": RESOLVED, "survface": RESOLVED}
    assert {conditions(name, OPTIONS) for name in names} == {()}


def test_tinyface_compares_the_probes_of_each_condition_with_those_as_they_are() -> None:
    faces = small_set()
    embeddings = embed(faces, noise=1.5, views=RESOLVED, missing=[4])
    outcome = tinyface.evaluate(faces, embeddings, BOTH, seed=3)
    split = np.array(faces.faces["split"].to_pylist())
    probe, gallery = np.flatnonzero(split == "probe"), np.flatnonzero(split != "probe")
    hits = {}
    for condition in ("full", *RESOLVED):
        score = cosines(embeddings, condition)[np.ix_(probe, gallery)]
        mates = faces.identity[gallery][None, :] == faces.identity[probe][:, None]
        best = np.where(mates, score, -np.inf).max(axis=1)
        hits[condition] = (np.where(mates, -np.inf, score).max(axis=1) < best) & (best > -np.inf)
    for condition in RESOLVED:
        figures = outcome.figures["conditions"][condition]["distractors"]
        assert figures["rank1"] == pytest.approx(hits[condition].mean(), abs=1e-6)
        expected = better(hits[condition], hits["full"].astype(float), faces.identity[probe], seed=3)
        assert figures["rank1_difference"] == expected.figures()
        assert expected.difference == pytest.approx(
            figures["rank1"] - outcome.figures["distractors"]["rank1"], abs=2e-6
        )
        named = outcome.figures["conditions"][condition]["no_distractors"]
        change = named["map"] - outcome.figures["no_distractors"]["map"]
        assert named["map_difference"]["difference"] == pytest.approx(change, abs=2e-6)
        cmc = outcome.curves["cmc"].columns[f"with_distractors_{condition}"]
        assert cmc[0] == pytest.approx(figures["rank1"], abs=1e-6)
    assert any(hits[condition].sum() != hits["full"].sum() for condition in RESOLVED)


def test_a_condition_that_changes_nothing_makes_no_difference() -> None:
    faces = small_set()
    embeddings = embed(faces, noise=1.5)
    stored = dict(embeddings.stored) | {"embedding_super_resolved_vdsr": embeddings.of()}
    stored |= {"unchanged_super_resolved_vdsr": np.arange(len(embeddings.row)) % 3 == 0}
    same = dataclasses.replace(embeddings, stored=stored)
    only = BOTH.model_copy(update={"super_resolution": ["vdsr"]})
    found = tinyface.evaluate(faces, same, only, seed=0).figures
    under = found.pop("conditions")["super_resolved_vdsr"]
    assert under["n_unchanged"] == stored["unchanged_super_resolved_vdsr"].sum()
    for name in ("distractors", "no_distractors"):
        told = {key: value for key, value in under[name].items() if not key.endswith("_difference")}
        assert told == found[name]
        assert under[name]["rank1_difference"] == {"difference": 0, "difference_interval": [0, 0], "p_value": 1.0}


def test_a_condition_that_was_not_embedded_is_named() -> None:
    with pytest.raises(EmbeddingError, match="'super_resolved_vdsr' was not embedded"):
        tinyface.evaluate(faces := small_set(), embed(faces), BOTH, seed=0)


@pytest.mark.parametrize("named", [True, False])
def test_survface_compares_which_pairs_are_told_rightly(named: bool) -> None:
    faces = surveillance()
    if not named:  # as published: nobody knows who the verification images show
        lines = faces.faces.to_pylist()
        nameless = [line | {"identity": None if line["face_id"][0] == "v" else line["identity"]} for line in lines]
        faces = Benchmark(type(faces.faces).from_pylist(nameless, faces.faces.schema), faces.pairs)
    embeddings = embed(faces, noise=1.5, views=RESOLVED, missing=[0])
    outcome = survface.evaluate(faces, embeddings, BOTH, seed=1)
    ids = faces.faces["face_id"].to_pylist()
    left, right = (np.array([ids.index(line[side]) for line in faces.pairs.to_pylist()]) for side in ("left", "right"))
    same = faces.pairs["same"].to_numpy()
    rightly = {}
    for condition in ("full", *RESOLVED):
        score = cosines(embeddings, condition)[left, right]
        thresholds = sorted({*score[score > -np.inf], np.inf})
        rightly[condition] = max((((score >= t) == same) for t in thresholds), key=lambda told: (told.sum(),))
    for condition in RESOLVED:
        figures = outcome.figures["conditions"][condition]
        assert figures["verification"]["accuracy"] == pytest.approx(rightly[condition].mean(), abs=1e-6)
        difference = figures["verification"]["accuracy_difference"]
        change = rightly[condition].mean() - rightly["full"].mean()
        assert difference["difference"] == pytest.approx(change, abs=1e-6)
        assert 0 < difference["p_value"] <= 1
        again = survface.evaluate(faces, embeddings.under(condition), OPTIONS, seed=1)
        told = {key: value for key, value in figures["verification"].items() if key != "accuracy_difference"}
        assert told["tar"] == again.figures["verification"]["tar"]
        assert figures["open_set"]["tpir"] == again.figures["open_set"]["tpir"]
        curve = outcome.curves["open_set"].columns
        assert np.array_equal(curve[f"tpir_{condition}"], again.curves["open_set"].columns["tpir"], equal_nan=True)
    assert ("left faces" in outcome.definitions["conditions"]) == (not named)
