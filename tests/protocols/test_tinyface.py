import numpy as np
import pytest

from lrfr.protocols import erc, tinyface
from tests.protocols.benchmarks import OPTIONS, benchmark, cosines, embed, row


def small_set():
    people = [row(f"{n} {shot}", f"p{n}", ("probe", "gallery")[shot % 2]) for n in range(6) for shot in range(5)]
    return benchmark([*people, *(row(f"d{n}", None, "distractor") for n in range(20))])


def rank_of(score: np.ndarray, mates: np.ndarray) -> int:
    return 1 + int((score[~mates] >= score[mates].max()).sum())


@pytest.mark.parametrize("distractors", [True, False])
def test_ranks_are_those_of_a_plain_search(distractors):
    faces = small_set()
    embeddings = embed(faces, noise=1.5)
    outcome = tinyface.evaluate(faces, embeddings, OPTIONS, seed=0)
    split = np.array(faces.faces["split"].to_pylist())
    score = cosines(embeddings)
    gallery = np.flatnonzero((split == "gallery") | (distractors & (split == "distractor")))
    ranks = [
        rank_of(score[probe, gallery], faces.identity[gallery] == faces.identity[probe])
        for probe in np.flatnonzero(split == "probe")
    ]
    figures = outcome.figures["distractors" if distractors else "no_distractors"]
    assert figures["rank1"] == pytest.approx(np.mean(np.array(ranks) == 1), abs=1e-6)
    assert (figures["n_probe"], figures["n_gallery"]) == (len(ranks), len(gallery))
    column = outcome.curves["cmc"].columns["with_distractors" if distractors else "without_distractors"]
    assert column.tolist() == [np.mean(np.array(ranks) <= k) for k in range(1, 13)]
    if distractors:
        assert outcome.per_probe["rank"].tolist() == ranks
        assert outcome.per_probe["face_id"].tolist() == faces.faces["face_id"].to_numpy()[split == "probe"].tolist()


def test_a_missing_probe_is_a_miss_and_is_counted():
    faces = small_set()
    lost = [int(faces.splits("probe")[0]), int(faces.splits("gallery")[1])]
    outcome = tinyface.evaluate(faces, embed(faces, noise=0.0, missing=lost), OPTIONS, seed=0)
    figures = outcome.figures["distractors"]
    assert (figures["n_missing_probe"], figures["n_missing_gallery"]) == (1, 1)
    assert figures["rank1"] == pytest.approx(1 - 1 / len(faces.splits("probe")), abs=1e-6)


def test_the_error_versus_reject_curves_stand_beside_identification():
    faces = small_set()
    embeddings = embed(faces, noise=1.5)
    found, rejected = tinyface.evaluate(faces, embeddings, OPTIONS, 4), erc.evaluate(faces, embeddings, OPTIONS, 4)
    assert found.figures["rejection"] == rejected.figures | {"definitions": rejected.definitions}
    assert np.array_equal(found.curves["erc"].columns["ratio"], rejected.curves["erc"].columns["ratio"])
    alone = tinyface.identification(faces, embeddings, OPTIONS, 4)
    assert found.figures == alone.figures | {"rejection": found.figures["rejection"]}
    assert set(found.curves) == {*alone.curves, "erc"} == {"cmc", "pr", "erc"}
