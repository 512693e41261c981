"""The calibration of a release: which threshold it gives for which gallery, and what it does not resolve."""

import json

import numpy as np
import pyarrow as pa
import pytest

from lrfr.core.gallery_templates import gallery_templates
from lrfr.errors import CalibrationError, LrfrError, ParameterError, ResultError
from lrfr.faces import FACE_SCHEMA, encode_png, write_faces
from lrfr.release.calibration import (
    Detector,
    all_scores,
    calibrate,
    calibrate_run,
    read_calibration,
    stranger_scores,
    write_calibration,
)  # fmt: skip
from lrfr.release.layout import CALIBRATION

DETECTOR = Detector(min_face=12, thresholds=[0.6, 0.7, 0.7])


def people(seed, count, images=4, width=16, spread=0.6):
    """Embeddings of people, half of whose images are enrolled."""
    rng = np.random.default_rng(seed)
    identity = np.repeat(np.arange(count), images)
    embedding = rng.normal(size=(count, width))[identity] + spread * rng.normal(size=(len(identity), width))
    return embedding, identity, np.tile(["gallery", "probe"], len(identity) // 2)


@pytest.fixture(scope="module", params=["cosine", "euclidean"])
def calibrated(request):
    embedding, identity, role = people(0, 60)
    return calibrate(embedding, identity, role, request.param, 0, DETECTOR, draws=200), request.param


def test_it_says_what_it_was_made_of(calibrated):
    made, metric = calibrated
    assert (made.metric, made.people, made.photos, made.strangers, made.identities) == (metric, 59, 2, 120, 60)
    assert made.sizes[-1] == 59 and made.rates[0] == pytest.approx(1 / 120)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_strangers_score_as_pairs_do_naively(metric):
    embedding, identity, role = people(1, 6)
    scores, who = stranger_scores(embedding, identity, role == "gallery", role == "probe", metric)
    for row, probe in enumerate(embedding[role == "probe"]):
        expected = []
        for person in range(6):
            if person == who[row]:
                continue
            rows = embedding[(role == "gallery") & (identity == person)]
            if metric == "cosine":
                template = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).mean(0)
                expected.append(probe @ template / np.linalg.norm(probe) / np.linalg.norm(template))
            else:
                expected.append(-(((probe - rows.mean(0)) ** 2).sum()))
        np.testing.assert_allclose(scores[row], expected, atol=1e-10)


@pytest.mark.parametrize("size", [1, 4, 12, 25, 59])
@pytest.mark.parametrize("fpir", [0.02, 0.1, 0.15, 0.4])
def test_strangers_are_mistaken_as_often_as_was_asked_for(calibrated, size, fpir):
    """Of the very people that it was calibrated on, in galleries that are drawn."""
    made, metric = calibrated
    embedding, identity, role = people(0, 60)
    scores, _ = stranger_scores(embedding, identity, role == "gallery", role == "probe", metric)
    rng = np.random.default_rng(1)
    threshold = made.threshold(fpir, size)
    drawn = [(scores[:, rng.permutation(59)[:size]].max(1) >= threshold.score).mean() for _ in range(400)]
    observed, one = np.mean(drawn), 1 / 120
    assert 0.9 * fpir - one <= observed <= 1.2 * fpir
    assert threshold.interval[0] <= observed <= threshold.interval[1]
    assert threshold.measured


def test_other_strangers_are_mistaken_about_as_often():
    """Calibrated on some people, asked by others; also among far more people than were measured."""
    embedding, identity, role = people(0, 150)
    made = calibrate(embedding, identity, role, "cosine", 0, DETECTOR, draws=200)
    others, who, _ = people(9, 900, images=1)
    template, _ = gallery_templates(others[:300], who[:300], np.ones(300, bool), "cosine", "unit")
    best = all_scores(others[300:], template, "cosine")
    for size, rate in ((50, 0.1), (149, 0.1), (300, 0.1)):
        threshold = made.threshold(rate, size)
        observed = (best[:, :size].max(1) >= threshold.score).mean()
        assert rate / 3 < observed < 2 * rate
        assert threshold.measured == (size < 150)


def test_the_threshold_rises_with_the_gallery_and_falls_with_the_rate(calibrated):
    made, _ = calibrated
    by_size = [made.threshold(0.2, size).score for size in range(1, 200)]
    by_rate = [made.threshold(rate, 20).score for rate in np.linspace(0.01, 0.5, 80)]
    assert (np.diff(by_size) >= 0).all() and by_size[0] < by_size[-1]
    assert (np.diff(by_rate) <= 0).all() and by_rate[0] > by_rate[-1]


@pytest.mark.parametrize("size", [5, 59, 60, 600])
def test_what_is_not_resolved_is_said_with_what_is(calibrated, size):
    made, _ = calibrated
    with pytest.raises(
        CalibrationError, match=f"0.001 among {size} people is not resolved.*120 strangers of 60"
    ) as told:
        made.threshold(0.001, size)
    least = float(str(told.value).rpartition("--fpir ")[2])
    assert made.least(size) <= least < 1.2 * made.least(size)
    assert made.threshold(least, size).fpir == least


@pytest.fixture(scope="module")
def of_quality():
    """Poor faces of a model that takes them for one another: their embeddings lie in one direction."""
    embedding, identity, role = people(0, 100)
    quality = np.random.default_rng(5).uniform(0, 1, len(identity))
    embedding = embedding + np.where(quality < 0.3, 6.0, 0.0)[:, None] * np.eye(16)[0]
    return embedding, identity, role, quality


def test_poor_strangers_are_left_out_where_a_least_quality_is_asked_for(of_quality):
    """The FPIR is then that of the strangers who reach it, and fewer of them are taken for somebody."""
    embedding, identity, role, quality = of_quality
    made = calibrate(embedding, identity, role, "cosine", 0, DETECTOR, 100, quality)
    least = made.by_quality[3].least
    assert least == pytest.approx(np.quantile(quality[role == "probe"], 0.3))
    kept = (role == "gallery") | (quality >= least)
    alone = calibrate(embedding[kept], identity[kept], role[kept], "cosine", 0, DETECTOR, 100)
    for size, fpir in ((10, 0.1), (60, 0.05), (500, 0.2)):
        with_quality, expected = made.threshold(fpir, size, least), alone.threshold(fpir, size)
        assert with_quality.score == pytest.approx(expected.score)
        assert with_quality.interval == pytest.approx(expected.interval)
        assert with_quality.least_quality == least and expected.least_quality is None
        assert with_quality.score < made.threshold(fpir, size).score
    assert made.threshold(0.1, 10) == calibrate(embedding, identity, role, "cosine", 0, DETECTOR, 100).threshold(
        0.1, 10
    )


def test_between_two_least_qualities_the_higher_threshold_holds(of_quality):
    embedding, identity, role, quality = of_quality
    made = calibrate(embedding, identity, role, "cosine", 0, DETECTOR, 100, quality)
    low, high = made.by_quality[1].least, made.by_quality[2].least
    around = [made.threshold(0.1, 30, least).score for least in (low, high)]
    assert made.threshold(0.1, 30, (low + high) / 2).score == max(around)
    below = [made.threshold(0.1, 30).score, made.threshold(0.1, 30, made.by_quality[0].least).score]
    assert made.threshold(0.1, 30, -5.0).score == max(below)


@pytest.mark.parametrize("least", [9.0, float("nan")])
def test_a_quality_that_too_few_have_is_refused(of_quality, least):
    embedding, identity, role, quality = of_quality
    made = calibrate(embedding, identity, role, "cosine", 0, DETECTOR, 100, quality)
    with pytest.raises(CalibrationError, match=r"too few strangers(.|\n)*--least-quality 0\."):
        made.threshold(0.1, 10, least)


def test_a_model_without_a_quality_is_told(calibrated):
    with pytest.raises(CalibrationError, match=r"predicts none(.|\n)*leave --least-quality out"):
        calibrated[0].threshold(0.1, 10, 0.5)


@pytest.mark.parametrize("fpir", [0.0, -0.1, 0.6, 1.0, float("nan")])
def test_rates_out_of_range_are_refused(calibrated, fpir):
    with pytest.raises(CalibrationError, match="was asked for"):
        calibrated[0].threshold(fpir, 10)


def test_too_few_people_are_refused():
    embedding, identity, role = people(0, 1)
    with pytest.raises(CalibrationError, match="two people"):
        calibrate(embedding, identity, role, "cosine", 0, DETECTOR)


def test_it_is_read_as_it_was_written(calibrated, tmp_path):
    write_calibration(tmp_path, calibrated[0])
    assert read_calibration(tmp_path) == calibrated[0]


DAMAGED = {
    "a row is missing": (lambda told: told["thresholds"].pop(), CalibrationError),
    "a rate is missing": (lambda told: told["rates"].pop(), CalibrationError),
    "sizes run backwards": (lambda told: told["sizes"].reverse(), CalibrationError),
    "an interval has three ends": (lambda told: told["intervals"][0][0].append(0.5), ParameterError),
    "another format": (lambda told: told.update(format=2), ParameterError),
    "no metric": (lambda told: told.pop("metric"), ParameterError),
    "an unknown key": (lambda told: told.update(more=1), ParameterError),
}


def test_what_it_says_of_qualities_is_read_as_it_was_written(of_quality, tmp_path):
    embedding, identity, role, quality = of_quality
    made = calibrate(embedding, identity, role, "cosine", 0, DETECTOR, 100, quality)
    write_calibration(tmp_path, made)
    assert read_calibration(tmp_path) == made
    told = json.loads((tmp_path / CALIBRATION).read_text())
    told["by_quality"].reverse()
    (tmp_path / CALIBRATION).write_text(json.dumps(told))
    with pytest.raises(CalibrationError, match="do not fit"):
        read_calibration(tmp_path)


@pytest.mark.parametrize("what", DAMAGED)
def test_what_does_not_fit_is_refused(calibrated, tmp_path, what):
    write_calibration(tmp_path, calibrated[0])
    told = json.loads((tmp_path / CALIBRATION).read_text())
    damage, kind = DAMAGED[what]
    damage(told)
    (tmp_path / CALIBRATION).write_text(json.dumps(told))
    with pytest.raises(kind):
        read_calibration(tmp_path)


def test_none_is_told(tmp_path):
    with pytest.raises(ResultError, match="missing"):
        read_calibration(tmp_path)
    assert issubclass(ResultError, LrfrError)


def test_a_run_is_calibrated_by_its_embeddings_of_the_benchmark(tmp_path):
    """Missing faces, distractors and faces that train take no part."""
    embedding, identity, role = people(0, 20)
    count, quality = len(identity), np.linspace(0, 1, len(identity))
    names = [f"p{number}" for number in identity]
    picture = encode_png(np.zeros((4, 4, 3), np.uint8))
    row = {"source": "drawn", "image": picture, "width": 4, "height": 4}
    rows = [
        row | {"face_id": f"f{n}", "identity": names[n], "split": role[n]} for n in range(count)
    ] + [
        row | {"face_id": "d", "identity": None, "split": "distractor"},
        row | {"face_id": "t", "identity": "p0", "split": "train"},
        row | {"face_id": "lost", "identity": "p1", "split": "probe"},
    ]  # fmt: skip
    write_faces(pa.Table.from_pylist(rows, FACE_SCHEMA), tmp_path / "faces.parquet")
    order = np.random.default_rng(0).permutation(count)
    np.savez(
        tmp_path / "e.npz",
        face_id=np.array([f"f{n}" for n in order] + ["d", "lost"]),
        embedding=np.concatenate([embedding[order], np.full((2, 16), 9.0)]),
        missing=np.array([False] * (count + 1) + [True]),
        quality=np.concatenate([quality[order], [9.0, -np.inf]]),
        facts=np.array('{"metric": "cosine"}'),
    )
    made = calibrate_run(tmp_path / "e.npz", tmp_path / "faces.parquet", 0, DETECTOR)
    expected = calibrate(embedding, identity, role, "cosine", 0, DETECTOR, quality=quality)
    assert [level.least for level in made.by_quality] == [level.least for level in expected.by_quality]
    assert (made.strangers, made.people, made.identities) == (40, 19, 20)
    np.testing.assert_allclose(made.thresholds, expected.thresholds, atol=1e-12)
