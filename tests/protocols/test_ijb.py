import dataclasses
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from lrfr.errors import BenchmarkError
from lrfr.protocols import ijb
from lrfr.protocols.ijb_tinyface import is_tiny
from tests.protocols.benchmarks import OPTIONS, benchmark, embed, row
from tests.protocols.small_sets import ENROLLED, TINY, template_set

SIDES = ("side_8", "side_16")


def templates(faces, embedding, unit: bool, missing) -> dict[str, np.ndarray]:
    """The naive way: mean within a media id, sum over media, of length 1; None where all images are missing."""
    media = {}
    for number, line in enumerate(faces.faces.to_pylist()):
        if not missing[number]:
            attributes = dict(line["attributes"])
            vector = embedding[number].astype(float)
            group = media.setdefault(attributes["template"], {}).setdefault(attributes["media"], [])
            group.append(vector / np.linalg.norm(vector) if unit else vector)
    sums = {name: sum(np.mean(group, axis=0) for group in groups.values()) for name, groups in media.items()}
    return {name: vector / np.linalg.norm(vector) for name, vector in sums.items()}


def scored(faces, left, right):
    lines = faces.pairs.to_pylist()
    score = [
        left[x["left"]] @ right[x["right"]] if x["left"] in left and x["right"] in right else -np.inf for x in lines
    ]
    return np.array(score), np.array([line["same"] for line in lines])


def tar_at(score, same, far):
    return max(
        (np.mean(score[same] >= t) for t in score if t > -np.inf and np.mean(score[~same] >= t) <= far), default=0
    )


@pytest.fixture(scope="module")
def outcome():
    faces = template_set()
    embeddings = embed(faces, noise=2.0, views=SIDES, missing=[4, 5, 9])
    return faces, embeddings, ijb.evaluate(faces, embeddings, OPTIONS, 0)


@pytest.mark.parametrize("norm", ["keep_norm", "unit_norm"])
def test_pairs_of_templates_are_scored_in_both_norms(outcome, norm):
    faces, embeddings, found = outcome
    vectors = templates(faces, embeddings.of(), norm == "unit_norm", embeddings.missing)
    score, same = scored(faces, vectors, vectors)
    figures = found.figures[norm]["verification"]
    assert figures["tar"]["0.1"] == pytest.approx(tar_at(score, same, 0.1), abs=1e-6)
    assert figures["tar"]["1e-06"] is None
    assert figures["n_missing"] == np.isneginf(score).sum() == ENROLLED


@pytest.mark.parametrize("norm", ["keep_norm", "unit_norm"])
def test_probes_of_the_other_gallery_are_the_unmated_ones(outcome, norm):
    faces, embeddings, found = outcome
    vectors = templates(faces, embeddings.of(), norm == "unit_norm", embeddings.missing)
    rates, misses = [], []
    for gallery, others in ((range(6), range(6, 12)), (range(6, 12), range(6))):
        score = {
            (kind, n): np.array([vectors[f"{kind}{n}"] @ vectors[f"g{m}"] for m in gallery])
            if f"{kind}{n}" in vectors
            else np.full(6, -np.inf)
            for kind in "pq"
            for n in range(ENROLLED)
        }
        mated = [(score[kind, n], n - gallery[0]) for kind in "pq" for n in gallery]
        rates.append(np.mean([np.isfinite(line).all() and np.argmax(line) == mate for line, mate in mated]))
        mate = np.array([line[place] for line, place in mated])
        stranger = np.array([score[kind, n].max() for kind in "pq" for n in others])
        misses.append(
            1 - max(np.mean(mate >= t) for t in [*mate[np.isfinite(mate)], 9] if np.mean(stranger >= t) <= 0.1)
        )
    mean = found.figures[norm]["identification"]["mean"]
    assert mean["closed"]["rank1"] == pytest.approx(np.mean(rates), abs=1e-6)
    assert mean["open"]["fnir"]["0.1"] == pytest.approx(np.mean(misses), abs=1e-6)
    assert mean["open"]["fnir"]["0.01"] is None
    by_gallery = [found.figures[norm]["identification"][name]["closed"]["rank1"] for name in ("G1", "G2")]
    assert by_gallery == pytest.approx(rates, abs=1e-6)


def test_images_may_count_by_the_models_quality(outcome):
    faces, embeddings, plain = outcome
    quality = np.random.default_rng(6).uniform(0.5, 2, len(embeddings.missing))
    found = ijb.evaluate(faces, dataclasses.replace(embeddings, quality=quality), OPTIONS, 0)
    known = quality[~embeddings.missing]
    weight = 0.01 + 0.99 * (quality - known.min()) / (known.max() - known.min())
    unit = embeddings.of() / np.maximum(np.linalg.norm(embeddings.of(), axis=1, keepdims=True), 1e-9)
    vectors = templates(faces, unit * weight[:, None], False, embeddings.missing)
    score, same = scored(faces, vectors, vectors)
    tar = found.figures["quality"]["verification"]["tar"]["0.1"]
    assert tar == pytest.approx(tar_at(score, same, 0.1), abs=1e-6)
    assert found.figures["unit_norm"] == plain.figures["unit_norm"] and "quality" not in plain.figures


def test_what_weighting_by_quality_brings_is_a_paired_test(outcome):
    """Faces with more noise have a lower quality: the weighted templates are better, by what the two figures differ."""
    faces, embeddings, plain = outcome
    noise = np.linalg.norm(embed(faces, noise=0.0, views=SIDES).of() - embeddings.of(), axis=1)
    known = dataclasses.replace(embeddings, quality=-noise)
    told = ijb.evaluate(faces, known, OPTIONS, 0).figures
    gain, by_quality, alike = told["quality"]["gain"], told["quality"], told["unit_norm"]
    tar = gain["verification"]["0.1"]
    both = [of["verification"]["tar"]["0.1"] for of in (by_quality, alike)]
    assert tar["difference"] == pytest.approx(both[0] - both[1], abs=2e-6)
    assert tar["difference_interval"][0] <= tar["difference"] <= tar["difference_interval"][1]
    assert gain["verification"]["1e-06"] is None
    ranked = [of["identification"]["mean"]["closed"]["rank1"] for of in (by_quality, alike)]
    assert gain["identification"]["rank1"]["difference"] == pytest.approx(ranked[0] - ranked[1], abs=2e-6)
    missed = [of["identification"]["mean"]["open"]["fnir"]["0.1"] for of in (by_quality, alike)]
    assert gain["identification"]["tpir"]["0.1"]["difference"] == pytest.approx(missed[1] - missed[0], abs=2e-6)
    equal = dataclasses.replace(embeddings, quality=np.ones(len(noise)))
    nothing = ijb.evaluate(faces, equal, OPTIONS, 0).figures["quality"]["gain"]["verification"]["0.1"]
    assert nothing == {"difference": 0, "difference_interval": [0, 0], "p_value": 1}
    assert "gain" not in plain.figures["unit_norm"]


def test_the_cross_resolution_matrix_has_the_left_side_in_its_rows(outcome):
    faces, embeddings, found = outcome
    sweep = found.figures["resolution"]
    assert (sweep["sides"], sweep["far"]) == (["8", "16", "full"], 1e-2)
    at = [templates(faces, embeddings.of(name), False, embeddings.missing) for name in (*SIDES, "full")]
    for left, line in zip(at, sweep["tar"], strict=True):
        assert line == pytest.approx([tar_at(*scored(faces, left, right), 1e-2) for right in at], abs=1e-6)


def test_the_sweep_has_the_roc_of_both_sides_at_each_resolution(outcome):
    faces, embeddings, found = outcome
    curve = found.curves["resolution_roc"].columns
    for side, view in (("8", "side_8"), ("16", "side_16"), ("full", "full")):
        vectors = templates(faces, embeddings.of(view), False, embeddings.missing)
        at = tar_at(*scored(faces, vectors, vectors), 0.1)
        assert curve[side][curve["far"].tolist().index(0.1)] == pytest.approx(at, abs=1e-6)


@pytest.mark.parametrize("norm", ["keep_norm", "unit_norm"])
def test_images_count_by_the_detectors_score_where_that_is_asked_for(outcome, norm):
    faces, embeddings, plain = outcome
    chosen = OPTIONS.model_copy(update={"detector_score": True})
    with pytest.raises(BenchmarkError, match=r"no detector's score(.|\n)*evaluate\.detector_score"):
        ijb.evaluate(faces, embeddings, chosen, 0)
    score = np.random.default_rng(0).uniform(0.1, 1, faces.faces.num_rows).astype(np.float32)
    place = faces.faces.schema.get_field_index("score")
    told = replace(faces, faces=faces.faces.set_column(place, "score", pa.array(score)))
    figures = ijb.evaluate(told, embeddings, chosen, 0).figures
    embedding = embeddings.of().astype(float)
    length = np.linalg.norm(embedding, axis=1, keepdims=True)
    embedding = embedding / (np.where(length, length, 1) if norm == "unit_norm" else 1) * score[:, None]
    vectors = templates(faces, embedding, False, embeddings.missing)
    expected = tar_at(*scored(faces, vectors, vectors), 0.1)
    assert figures[norm]["verification"]["tar"]["0.1"] == pytest.approx(expected, abs=1e-6)
    assert ijb.evaluate(told, embeddings, OPTIONS, 0).figures == plain.figures


def test_in_the_sweep_the_gallery_stays_at_full_resolution(outcome):
    faces, embeddings, found = outcome
    low, full = (templates(faces, embeddings.of(name), False, embeddings.missing) for name in ("side_8", "full"))
    found_first = [
        f"{kind}{n}" in low and max(people, key=lambda m: low[f"{kind}{n}"] @ full[f"g{m}"]) == n
        for people in (range(6), range(6, 12))
        for kind in "pq"
        for n in people
    ]
    identified = found.figures["resolution"]["identification"]
    assert identified["8"]["closed"]["rank1"] == pytest.approx(np.mean(found_first), abs=1e-6)
    assert identified["full"] == found.figures["keep_norm"]["identification"]["mean"]
    assert found.curves["resolution_cmc"].columns["8"][0] == pytest.approx(np.mean(found_first))


def test_tiny_faces_are_paired_among_themselves():
    tiny = template_set(TINY)
    embeddings = embed(tiny, noise=2.0, views=SIDES)
    figures = ijb.evaluate(tiny, embeddings, OPTIONS, 0).figures["tinyface"]
    assert figures["n_faces"] == 8 * ENROLLED
    assert figures["n_genuine"] == ENROLLED * 8 * 7 // 2
    assert figures["n_impostor"] == 8 * ENROLLED * (8 * ENROLLED - 1) // 2 - figures["n_genuine"]
    unknown = ijb.evaluate(faces := template_set(), embed(faces, views=SIDES), OPTIONS, 0)
    assert unknown.figures["tinyface"] == {"n_faces": 0}
    assert "tiny_roc" not in unknown.curves


@pytest.mark.parametrize(("scale", "tiny"), [(10 / 16, False), (10.1 / 16, True), (29.9 / 16, True), (30 / 16, False)])
def test_tiny_is_between_10_and_30_px_from_eyes_to_mouth(scale, tiny):
    landmarks = benchmark([row("a", landmarks=(np.array(TINY) * scale).tolist()), row("b")]).faces["landmarks"]
    assert is_tiny(landmarks).tolist() == [tiny, False]


def test_lists_that_name_what_is_not_there_are_refused():
    faces = [row("a", "p", template="t"), row("b", "q", template="u")]
    pairs = [("t", "u", False, None), ("t", "t", True, None)]
    for enrolled, complaint in (
        ([("nobody", "p", "G1")], "'nobody'"),
        ([("t", "p", "G1")], "no gallery or no probe"),
        ([], "no gallery or no probe"),
    ):
        tested = benchmark(faces, pairs, enrolled)
        with pytest.raises(BenchmarkError, match=complaint):
            ijb.evaluate(tested, embed(tested, views=SIDES), OPTIONS, 0)
    with pytest.raises(BenchmarkError, match="belongs to a template"):
        ijb.evaluate(tested := benchmark([row("a", "p")]), embed(tested), OPTIONS, 0)
