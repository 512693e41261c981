"""Agreement against the formulas recomputed face by face."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfr.core.verdicts import VERDICTS, WITHDRAWN, Verdict
from lrfr.quality.agreement import agreement

START = datetime(2024, 5, 1, tzinfo=UTC)

# What each of up to four labellers said of each face; None: did not judge it
said_of_faces = st.lists(st.lists(st.sampled_from([*VERDICTS, None]), min_size=4, max_size=4), min_size=1, max_size=30)


def lines(faces: list[list[str | None]]) -> list[Verdict]:
    return [
        Verdict(f"f{face}", verdict, f"labeller{who}", START + timedelta(minutes=face), "", f"labeller{who}", 2 + face)
        for face, said in enumerate(faces)
        for who, verdict in enumerate(said)
        if verdict is not None
    ]


def cohens_kappa(first: list[str], second: list[str]) -> float | None:
    """J. Cohen, Educational and Psychological Measurement 20, 1960."""
    count = len(first)
    observed = sum(a == b for a, b in zip(first, second, strict=True)) / count
    chance = sum(first.count(verdict) * second.count(verdict) for verdict in VERDICTS) / count**2
    return None if len({*first, *second}) == 1 else (observed - chance) / (1 - chance)


def fleiss_kappa(faces: list[list[str]]) -> float | None:
    """Fleiss 1971, equations 3 to 7; every face has the same number of verdicts."""
    raters = len(faces[0])
    all_said = Counter(verdict for said in faces for verdict in said)
    if len(all_said) == 1:
        return None
    chance = sum((times / (len(faces) * raters)) ** 2 for times in all_said.values())
    pairs = [[a == b for a, b in combinations(said, 2)] for said in faces]
    observed = sum(sum(equal) / len(equal) for equal in pairs) / len(faces)
    return (observed - chance) / (1 - chance)


@settings(deadline=None)  # the first call imports statsmodels, or scikit-learn
@given(said_of_faces)
def test_the_figures_are_their_formulas(faces):
    found = agreement(lines(faces), {f"f{face}": 10 for face in range(len(faces))})
    several = [given for said in faces if len(given := [verdict for verdict in said if verdict]) > 1]
    if not several:
        assert found is None
        return
    overall = found["overall"]
    assert overall["faces"] == len(several)
    equal = [[a == b for a, b in combinations(said, 2)] for said in several]
    assert overall["raw"] == pytest.approx(sum(sum(face) / len(face) for face in equal) / len(equal), abs=1e-6)
    sizes = Counter(len(said) for said in several)
    commonest = max(sizes, key=lambda size: (sizes[size], size))
    assert (overall["fleiss_verdicts"], overall["fleiss_faces"]) == (commonest, sizes[commonest])
    expected = fleiss_kappa([said for said in several if len(said) == commonest])
    assert overall["fleiss_kappa"] == (None if expected is None else pytest.approx(expected, abs=1e-6))


@settings(deadline=None)  # the first call imports statsmodels, or scikit-learn
@given(said_of_faces)
def test_each_pair_is_compared_on_the_faces_that_both_judged(faces):
    found = agreement(lines(faces), {f"f{face}": 10 for face in range(len(faces))})
    pairs = {tuple(pair["labellers"]): pair for pair in found["pairs"]} if found else {}
    for first, second in combinations(range(4), 2):
        both = [(said[first], said[second]) for said in faces if said[first] and said[second]]
        pair = pairs.pop((f"labeller{first}", f"labeller{second}"), None)
        assert (pair is None) == (not both)
        if pair:
            expected = cohens_kappa(*map(list, zip(*both, strict=True)))
            assert pair["cohens_kappa"] == (None if expected is None else pytest.approx(expected, abs=1e-6))
            assert pair["confusion"] == [[both.count((a, b)) for b in VERDICTS] for a in VERDICTS]
    assert not pairs


def test_it_is_told_by_the_faces_height():
    faces = [["face", "face"], ["face", "not_face"], ["not_face", "face"], ["not_face", "not_face"]]
    found = agreement(lines(faces), {"f0": 12, "f1": 11, "f2": 6, "f3": 100})
    raw = {(row["from"], row["to"]): (row["faces"], row["raw"]) for row in found["by_height"]}
    assert raw[6, 12] == (2, 0.0) and raw[12, 16] == (1, 1.0) and raw[32, None] == (1, 1.0)
    assert raw[16, 24] == (0, None)
    (pair,) = found["pairs"]
    assert [row["faces"] for row in pair["by_height"]] == [2, 1, 0, 0, 1]


def test_what_was_taken_back_or_adjudicated_is_nobodys_opinion():
    said = lines([["face", "face"], ["face", "not_face"]])
    later = START + timedelta(days=1)
    said.append(Verdict("f1", "unsure", "labeller1", later, WITHDRAWN, "labeller1", 9))
    said.append(Verdict("f0", "not_face", "eva", later, "", "_adjudicated", 2))
    found = agreement(said, {"f0": 10, "f1": 10})
    assert found["overall"]["faces"] == 1
    assert found["labellers"] == {"labeller0": 2, "labeller1": 1}


def test_labellers_who_share_no_face_are_no_pair():
    assert agreement(lines([["face", None], [None, "face"]]), {"f0": 10, "f1": 10}) is None
