import dataclasses

import numpy as np
import pytest

from lrfr.protocols import erc
from tests.protocols.benchmarks import OPTIONS, benchmark, cosines, embed, row


def small_set(score=0.5):
    rows = [
        row(f"{n} {k}", f"p{n}", ("probe", "gallery")[k % 2], height=10 + (7 * n + k) % 13, score=score)
        for n in range(30)
        for k in range(4)
    ]
    return benchmark([*rows, row("d", None, "distractor", score=score)])


def test_the_curve_is_the_fnmr_of_the_pairs_that_are_left():
    faces = small_set()
    embeddings = embed(faces, noise=1.5)
    outcome = erc.evaluate(faces, embeddings, OPTIONS, 0)
    assert outcome.figures["n_genuine"] == 30 * 6
    assert outcome.figures["n_impostor"] == 120 * 119 // 2 - 30 * 6
    assert len(outcome.figures["capped"]) == 2
    left, right = np.triu_indices(120, 1)
    score, identity = cosines(embeddings)[left, right], faces.identity
    same = identity[left] == identity[right]
    size = np.minimum(20, faces.faces["height"].to_numpy())
    quality = np.minimum(size[left], size[right])
    threshold = min(t for t in score if np.mean(score[~same] >= t) <= 1e-3)
    curve = outcome.curves["erc"].columns["size fixed 0.001"]
    for ratio in (0.0, 0.3, 0.6):
        worst = max((q for q in np.unique(quality) if np.mean(quality <= q) <= ratio), default=-1)
        kept = same & (quality > worst)
        assert curve[round(100 * ratio)] == pytest.approx(np.mean(score[kept] < threshold), abs=1e-6)
    assert outcome.figures["qualities"]["size"]["fixed"]["0.0001"]["pauc20"] is None
    assert "not resolvable" in outcome.figures["qualities"]["size"]["fixed"]["0.0001"]["not_resolvable"][0]


def test_only_known_qualities_are_used_and_a_missing_face_has_the_lowest():
    faces = small_set()
    embeddings = embed(faces, missing=[3])
    rows = np.arange(120)
    found = erc.qualities(faces, embeddings, rows)
    assert set(found) == {"norm", "size", "detector"}
    assert all(np.isneginf(values[3]) and np.isfinite(np.delete(values, 3)).all() for values in found.values())
    assert found["norm"][0] == pytest.approx(np.linalg.norm(embeddings.of()[0]))
    own = dataclasses.replace(embeddings, quality=np.arange(121.0))
    assert set(erc.qualities(small_set(None), own, rows)) == {"norm", "size", "quality"}


def test_rivals_are_there_where_the_embed_stage_could_compute_them():
    faces = small_set(None)
    embeddings = embed(faces)
    center, robust = np.ones(embeddings.of().shape[1]), np.linspace(0, 1, len(embeddings.of()))
    stored = {**embeddings.stored, "ui_center": center, "quality_serfiq": robust}
    found = erc.qualities(faces, dataclasses.replace(embeddings, stored=stored), np.arange(20))
    assert set(found) == {"norm", "size", "ers", "serfiq"}
    assert found["serfiq"].tolist() == robust[:20].tolist()
    vector = embeddings.of()[7]
    cosine = float(vector @ center / np.linalg.norm(vector) / np.linalg.norm(center))
    assert found["ers"][7] == pytest.approx(1 - cosine, abs=1e-6)


def test_images_are_rejected_by_name():
    faces = small_set()
    outcome = erc.evaluate(faces, embed(faces, noise=0.4), OPTIONS, 0)
    assert set(outcome.figures["qualities"]["size"]) == {"fixed", "reestimated", "images"}
    assert outcome.figures["qualities"]["size"]["images"]["0.001"]["variant"] == "fixed"
    columns = outcome.curves["erc"].columns
    assert columns["norm images 0.001"][0] == columns["norm fixed 0.001"][0]
    assert not np.allclose(columns["norm images 0.001"], columns["norm fixed 0.001"], equal_nan=True)


def test_a_missing_face_is_a_miss_until_it_is_rejected():
    faces = small_set()
    curve = erc.evaluate(faces, embed(faces, noise=0.01, missing=[3]), OPTIONS, 0).curves["erc"].columns
    assert curve["norm fixed 0.001"][0] == pytest.approx(3 / 180)  # its three genuine pairs
    assert curve["norm fixed 0.001"][5] == 0
