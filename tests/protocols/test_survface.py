import dataclasses

import numpy as np
import pytest

from lrfr.errors import BenchmarkError
from lrfr.protocols import survface
from tests.protocols.benchmarks import OPTIONS, benchmark, cosines, embed, row
from tests.protocols.small_sets import surveillance


def test_verification_is_that_of_the_published_pairs():
    faces = surveillance()
    embeddings = embed(faces, missing=[0])
    figures = survface.evaluate(faces, embeddings, OPTIONS, 0).figures["verification"]
    ids = faces.faces["face_id"].to_pylist()
    pair = [(ids.index(line["left"]), ids.index(line["right"])) for line in faces.pairs.to_pylist()]
    score, same = cosines(embeddings)[tuple(zip(*pair, strict=True))], faces.pairs["same"].to_numpy()
    for far in (0.3, 0.1):
        allowed = max(
            (np.mean(score[same] >= t) for t in score[score > -np.inf] if np.mean(score[~same] >= t) <= far), default=0
        )
        assert figures["tar"][f"{far:g}"] == pytest.approx(allowed, abs=1e-6)
    assert figures["tar"]["0.001"] is None
    best = max(np.mean((score >= t) == same) for t in [*score[score > -np.inf], np.inf])
    assert figures["accuracy"] == pytest.approx(best, abs=1e-6)
    assert figures["n_missing"] == sum(0 in rows for rows in pair)


def test_open_set_counts_mates_within_rank_20_above_the_threshold():
    faces = surveillance()
    embeddings = embed(faces, noise=1.5)
    outcome = survface.evaluate(faces, embeddings, OPTIONS, 0)
    unit = embeddings.of().astype(float)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    gallery, mated, unmated = (faces.rows("part", part) for part in ("gallery", "mated_probe", "unmated_probe"))
    people = np.unique(faces.identity[gallery])
    templates = np.array([unit[gallery][faces.identity[gallery] == person].mean(axis=0) for person in people])
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    mate = np.array([unit[probe] @ templates[people == faces.identity[probe]][0] for probe in mated])
    stranger = (unit[unmated] @ templates.T).max(axis=1)
    for fpir in (0.3, 0.1):
        expected = max(np.mean(mate >= t) for t in [*mate, np.inf] if np.mean(stranger >= t) <= fpir)
        assert outcome.figures["open_set"]["tpir"][f"{fpir:g}"] == pytest.approx(expected, abs=1e-6)
    assert outcome.figures["open_set"]["tpir"]["0.01"] is None
    assert np.isnan(outcome.curves["open_set"].columns["tpir"][0])  # 40 unmated probes say nothing about 1e-7


def test_gallery_images_may_count_by_the_models_quality():
    faces = surveillance()
    embeddings = embed(faces, noise=1.5)
    quality = np.random.default_rng(5).uniform(1, 3, len(embeddings.missing))
    outcome = survface.evaluate(faces, dataclasses.replace(embeddings, quality=quality), OPTIONS, 0)
    weight = 0.01 + 0.99 * (quality - quality.min()) / (quality.max() - quality.min())
    unit = embeddings.of().astype(float)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    gallery, mated, unmated = (faces.rows("part", part) for part in ("gallery", "mated_probe", "unmated_probe"))
    people = np.unique(faces.identity[gallery])
    own = [faces.identity[gallery] == person for person in people]
    templates = np.array([(unit[gallery][rows] * weight[gallery][rows, None]).mean(axis=0) for rows in own])
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    mate = np.array([unit[probe] @ templates[people == faces.identity[probe]][0] for probe in mated])
    stranger = (unit[unmated] @ templates.T).max(axis=1)
    expected = max(np.mean(mate >= t) for t in [*mate, np.inf] if np.mean(stranger >= t) <= 0.3)
    assert outcome.figures["open_set_quality"]["tpir"]["0.3"] == pytest.approx(expected, abs=1e-6)
    gain = outcome.figures["open_set_quality"]["gain"]["0.3"]
    alike = outcome.figures["open_set"]["tpir"]["0.3"]
    assert gain["difference"] == pytest.approx(expected - alike, abs=2e-6)
    assert gain["difference_interval"][0] <= gain["difference"] <= gain["difference_interval"][1]
    assert outcome.figures["open_set_quality"]["gain"]["0.01"] is None  # 40 unmated probes
    assert "open_set_quality" not in survface.evaluate(faces, embeddings, OPTIONS, 0).figures


def test_the_area_within_a_smaller_rank_is_named_and_smaller():
    faces = surveillance()
    embeddings = embed(faces, noise=3)
    outcome = survface.evaluate(faces, embeddings, OPTIONS.model_copy(update={"open_set_ranks": [3, 1, 20]}), 0)
    figures = outcome.figures
    assert [key for key in figures if key.startswith("open_set")] == ["open_set", "open_set_rank1", "open_set_rank3"]
    unit = embeddings.of().astype(float)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    gallery, mated, unmated = (faces.rows("part", part) for part in ("gallery", "mated_probe", "unmated_probe"))
    people = np.unique(faces.identity[gallery])
    templates = np.array([unit[gallery][faces.identity[gallery] == person].mean(axis=0) for person in people])
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    score, stranger = unit[mated] @ templates.T, (unit[unmated] @ templates.T).max(axis=1)
    mate = score[np.arange(len(mated)), np.searchsorted(people, faces.identity[mated])]
    rank = (score >= mate[:, None]).sum(axis=1)
    for name, last in (("open_set", 20), ("open_set_rank3", 3), ("open_set_rank1", 1)):
        found = np.mean([(stranger < s).mean() * (r <= last) for s, r in zip(mate, rank, strict=True)])
        assert figures[name]["auc"] == pytest.approx(found, abs=1e-6)
        assert figures[name]["rank"] == last
    assert figures["open_set_rank1"]["auc"] < figures["open_set"]["auc"]
    columns = outcome.curves["open_set"].columns
    assert columns["tpir_rank1"][-1] == pytest.approx((rank == 1).mean())


def test_a_set_without_pairs_or_a_part_is_refused():
    with pytest.raises(BenchmarkError, match="no list of pairs"):
        survface.evaluate(faces := surveillance(pairs=[]), embed(faces), OPTIONS, 0)
    with pytest.raises(BenchmarkError, match="'strange'"):
        survface.evaluate(faces := surveillance(pairs=[("v0 0", "strange", True, None)]), embed(faces), OPTIONS, 0)
    faces = benchmark(
        [row("v", "v", part="verification"), row("w", "w")], [("v", "v", True, None), ("v", "w", False, None)]
    )
    with pytest.raises(BenchmarkError, match="part 'gallery'"):
        survface.evaluate(faces, embed(faces), OPTIONS, 0)
