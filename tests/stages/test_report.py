"""The report stage: one offline page of everything, the same bytes every time."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import numpy as np
import pyarrow.compute as pc
import pytest
import yaml
from markupsafe import Markup

from lrfr import paths
from lrfr.config import read_params
from lrfr.errors import FaceTableError, ResultError
from lrfr.faces import encode_png, write_faces
from lrfr.files import read_json, write_csv, write_json, write_text
from lrfr.report import (
    alignment,
    full_resolution,
    leaderboard,
    recognizability,
    rejection,
    scoreboard,
    sheets,
    super_resolution,
    synthesizers,
    tables,
)
from lrfr.report.blocks import Cell, Charts, Note, Section, Sheet, Table
from lrfr.report.chance import chance, chance_cmc, chance_map
from lrfr.report.figures import rank1_panels, styles
from lrfr.report.page import render, sections
from lrfr.report.paired import paired_table
from lrfr.report.results import Results, Run, read_results
from lrfr.report.sections import ijb, survface
from lrfr.report.training import beginnings, training_figures
from lrfr.stages import evaluate, report
from tests.face_tables import whole
from tests.stages.report_run import (
    CHANGE,
    HOSTILE,
    IDENTITIES,
    NETWORK,
    PER_IDENTITY,
    PREDICTS,
    SKILL,
    UPDATES,
    Page,
    drift,
    uri,
    write_probes,
    write_run,
    write_training,
)
from tests.stages.test_evaluate import SETS, write_project

CHANGED = [Cell("−6.2", "−10.0 to +2.0"), Cell("0.031")]


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which evaluate has scored a test set of every kind."""
    folder = tmp_path_factory.mktemp("evaluated")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_project()
        evaluate.run("random")
    return folder


@pytest.fixture
def run(tmp_path: Path, evaluated: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_run(evaluated, ("pairs",))
    return tmp_path


@pytest.fixture
def run_with_sets(tmp_path: Path, evaluated: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run with a test set of every kind."""
    monkeypatch.chdir(tmp_path)
    write_run(evaluated, tuple(SETS))
    return tmp_path


def read() -> Results:
    return read_results(read_params())


def change(run: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes what evaluate wrote of a run."""
    results = read_json(paths.metrics(run))
    change(results)
    write_json(paths.metrics(run), results)


def blocks(section: Section, kind: type) -> list[Any]:
    return [block for block in section.blocks if isinstance(block, kind)]


def labels(table: Table) -> list[str]:
    return [f"{row.label} {row.note}".strip() for row in table.rows]


def texts(chart: Markup) -> list[str]:
    return [element.text or "" for element in Xml.fromstring(chart).iter("text")]


# The page


def test_the_page_is_well_formed_and_needs_nothing_else(run_with_sets: Path) -> None:
    report.run()
    page = Page()
    assert not page.unclosed
    local = {address for address in page.loaded if not address.startswith(("data:", "#"))}
    compared = {"drift/downsample.html", "drift/photographic.html"}
    assert local == {"quality.html", "quality.html#verification", "quality_synthetic.html", "data_card.html"} | compared
    assert not page.tags & {"script", "iframe", "object", "embed"}
    assert not re.findall(r"url\(|@import", paths.REPORT.read_text())
    assert all(image["src"].startswith("data:image/png;base64,") and image["alt"] for image in page.images)
    listed = [address.removeprefix("#") for address in page.loaded if address.startswith("#")]
    assert listed.pop() == "synthesizers"  # the section on data quality leads there
    assert page.anchors == listed[1:]  # after the link that skips to the leaderboard
    assert page.anchors[:8] == ["leaderboard", "set-benchmark", "set-synlr", *(f"set-{name}" for name in SETS)]
    questions = ["full-resolution", "rejection", "recognizability", "super-resolution", "alignment", "synthesizers"]
    assert page.anchors[8:14] == questions
    assert page.anchors[14:] == ["training", "faces", "dataset", "curation", "data-quality"]


def test_two_runs_give_the_same_bytes(run: Path) -> None:
    report.run()
    first = paths.REPORT.read_bytes()
    report.run()
    assert paths.REPORT.read_bytes() == first


def test_names_of_runs_and_from_the_data_are_escaped(run: Path) -> None:
    results, hostile = read(), '<img src="x" onerror="alert(1)">'

    def renamed(by_run: dict[str, Any]) -> dict[str, Any]:
        return {hostile if name == "tc" else name: value for name, value in by_run.items()}

    sets = {
        name: replace(
            found,
            figures=renamed(found.figures),
            curves={kind: renamed(curves) for kind, curves in found.curves.items()},
        )
        for name, found in results.sets.items()
    }
    training = [one._replace(title=hostile, run=hostile) if one.run == "tc" else one for one in results.training]
    write_text(
        paths.REPORT,
        render(
            replace(
                results,
                params=results.params.model_copy(update={"methods": renamed(results.params.methods)}),
                runs=renamed(results.runs),
                probes=renamed(results.probes),
                sets=sets,
                training=training,
            )
        ),
    )
    page, said = Page(), "".join(Page().words)
    assert hostile in said and HOSTILE in said  # as text, once parsed
    assert not page.unclosed and "script" not in page.tags and all(image["src"] != "x" for image in page.images)


def test_without_truth_or_second_labeller_the_parts_are_left_out(run: Path) -> None:
    write_json(
        paths.DETECTION_METRICS,
        {
            "photos": {"native": 1, "auxiliary": 1, "without_face": 0},
            "faces": {"native": 1, "auxiliary": 1},
            "by_height": [],
        },
    )
    write_json(paths.CURATION_METRICS, {"detected": 1, "kept": 1, "excluded": {}, "adjudicated": 0})
    write_json(paths.LABELLER_METRICS, {"agreement": None})
    report.run()
    assert not {"False alarms", "κ"} & {word for part in Page().words for word in (part, *part.split())}


def test_a_gallery_without_distractors_and_a_training_of_one_epoch(run: Path) -> None:
    faces = whole(paths.BENCHMARK)
    write_faces(faces.filter(pc.field("split") != "distractor"), paths.BENCHMARK)
    write_training(paths.training_curve("runs", "tc"), [1])
    report.run()
    assert "Distractors" not in Page().words


# What is missing or damaged


@pytest.mark.parametrize(
    ("path", "command"),
    [
        (paths.metrics("tc"), "lrfr evaluate tc"),
        (paths.curve("random", "benchmark", "cmc"), "lrfr evaluate random"),
        (paths.curve("tc", "benchmark", "erc"), "lrfr evaluate tc"),
        (paths.curve("tc", "pairs", "roc"), "lrfr evaluate tc"),
        (paths.evaluated("tc"), "lrfr evaluate tc"),
        (paths.training_curve("backbones", "main"), "lrfr pretrain main"),
        (paths.training_curve("runs", "tc"), "lrfr finetune tc"),
        (paths.training_curve("super_resolution", NETWORK), f"lrfr train-sr {NETWORK}"),
        (paths.LANDMARK_CURVE, "lrfr train-landmarks"),
        (paths.LANDMARK_ERROR, "lrfr train-landmarks"),
        (paths.super_resolution_metrics(NETWORK), f"lrfr train-sr {NETWORK}"),
        (paths.DETECTION_METRICS, "lrfr detect"),
        (paths.drift_result("downsample"), "lrfr drift"),
        (paths.SCOREBOARD, "lrfr rank-synthesizers"),
        (paths.SYNLR_VALIDATION, "lrfr validate-synthetic"),
    ],
)
def test_a_missing_result_is_named_with_its_stage(run: Path, path: Path, command: str) -> None:
    path.unlink()
    with pytest.raises(ResultError, match=re.escape(str(path))) as caught:
        report.run()
    assert command in str(caught.value)
    assert not paths.REPORT.exists()


@pytest.mark.parametrize("path", [paths.synthetic("photographic"), paths.EXAMPLES])
def test_a_missing_face_table_is_named(run: Path, path: Path) -> None:
    path.unlink()
    with pytest.raises(FaceTableError, match=re.escape(str(path))):
        report.run()


DAMAGED = ["rank,with_distractors\n1,none\n", "rank,with_distractors\n1\n", "rank\n\xff", f"rank\n{'1' * 200_000}\n"]


@pytest.mark.parametrize("content", DAMAGED, ids=["word", "short", "bytes", "long"])
def test_a_damaged_curve_is_named(run: Path, content: str) -> None:
    paths.curve("tc", "benchmark", "cmc").write_text(content, encoding="latin-1")
    with pytest.raises(ResultError, match=r"tc/benchmark/cmc\.csv"):
        read()


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        (lambda results: results["sets"].pop("pairs"), "'pairs'"),
        (lambda results: results.pop("trained"), "trained"),
        (lambda results: results["sets"]["benchmark"].pop("rejection"), "rejection"),
        (lambda results: results["sets"]["benchmark"]["distractors"].pop("map_interval"), "distractors.map_interval"),
    ],
)
def test_what_evaluate_did_not_say_is_named(run: Path, lost: Callable[[dict[str, Any]], object], said: str) -> None:
    change("tc", lost)
    with pytest.raises(ResultError, match=said) as caught:
        read()
    assert "lrfr evaluate tc" in str(caught.value)


# The leaderboard


def test_the_leaderboard_is_sorted_by_rank1_above_the_floor_and_chance(run: Path) -> None:
    results, floor = read(), chance(paths.BENCHMARK)
    lines = leaderboard.entries(results, floor, styles(results.runs))
    assert [line.label for line in lines] == ["tc", "baseline", "random", "chance"]
    assert [line.style for line in lines[2:]] == ["floor", "chance"]
    assert lines[0].cells[0] == Cell("42.0", "39.0–45.0") and lines[0].cells[5] == Cell("52.0", "49.0–55.0")
    by_chance = 100 * chance_cmc(
        np.full(2 * IDENTITIES, PER_IDENTITY // 2), floor.galleries["distractors"], np.array([1])
    )
    assert lines[3].cells[0] == Cell(f"{by_chance[0]:.1f}")
    panels = rank1_panels(results, floor, styles(results.runs))
    drawn = [[text for text in texts(panel.chart) if text in (*SKILL, "chance")] for panel in panels]
    assert drawn == [["tc", "baseline", "random", "chance"]] * 2


def test_the_leaderboard_says_method_presentation_and_what_each_run_learnt_from(run: Path) -> None:
    results = read()
    lines = {line.label: line for line in leaderboard.entries(results, chance(paths.BENCHMARK), styles(results.runs))}
    assert lines["baseline"].note == "baseline, aligned (arcface_112)"
    assert lines["random"].note == "random, faces as cropped"
    assert lines["baseline"].learnt == "16 passes over 2,592 auxiliary faces; then 4 over 1,120 native; 820 updates"
    assert lines["tc"].learnt == (
        "16 passes over 2,592 auxiliary faces; then 1 over 2,592 auxiliary and 4 over 1,120 native; 888 updates"
    )
    assert lines["random"].learnt == "nothing: untrained weights" and lines["chance"].learnt == ""


def of(method: str = "baseline", *trained: dict[str, Any]) -> Run:
    return Run(method, "main", "cosine", "as_cropped", trained)


def step(updates: int = 10, **passes: float) -> dict[str, Any]:
    return {"step": "any", "faces": dict.fromkeys(passes, 100), "passes": passes, "updates": updates}


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (of("baseline", step(native=1.0)), "1 pass over 100 native faces; 10 updates"),
        (of("tc", step(a=0.5, b=2.0)), "0.5 passes over 100 a and 2 over 100 b faces; 10 updates"),
        (of("tc", step(a=2.0), step(1000, a=1.96)), "2 passes over 100 a faces; then 2 over 100 a; 1,010 updates"),
        (of("pretrained"), "nothing here: weights as they came"),
    ],
)
def test_what_a_run_learnt_from_is_said_in_words(run: Run, said: str) -> None:
    assert leaderboard.learnt(run) == said


SHORT, LONG = step(native=4.0), step(native=12.0)
SPLIT = (step(native=3.0), step(native=1.0))


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ({"random": of("random"), "a": of("baseline", SHORT), "b": of("csri", *SPLIT)}, "Equal budgets: a and b made"),
        (
            {"pretrained": of("pretrained", LONG), "a": of("csri", SHORT), "b": of("csri", SHORT)},
            "Equal budgets: a and b made",
        ),
        ({"a": of("csri", SHORT), "b": of("csri", LONG)}, "Budgets differ: no two runs"),
        (
            {"a": of("csri", SHORT), "b": of("csri", LONG), "c": of("tc", SHORT), "d": of("tc", *SPLIT)},
            "Budgets differ: a, c and d made the same passes over the same faces, b did not.",
        ),
        ({"a": of("csri", SHORT), "b": of("csri", step(auxiliary=4.0))}, "Budgets differ: no two runs"),
        ({"random": of("random"), "a": of("csri", SHORT)}, ""),
    ],
)
def test_equal_budgets_are_said_and_unequal_ones_named(run: Path, runs: dict[str, Run], said: str) -> None:
    sentence = leaderboard.budgets(replace(read(), runs=runs))
    assert sentence.startswith(said) and bool(sentence) == bool(said)


def test_the_verdict_stands_on_untrained_weights_and_chance(run: Path) -> None:
    results, floor = read(), chance(paths.BENCHMARK)
    first, second = leaderboard.verdict(results, floor)
    assert first.startswith(
        "The best run, tc, ranks the right person first for 42.0\u00a0% (95\u00a0% interval 39.0–45.0)"
    )
    assert second.endswith("the intervals do not meet, and training multiplies rank-1 by 4.7.")
    known = results.sets["benchmark"].figures
    same = replace(results.sets["benchmark"], figures=dict.fromkeys(known, known["random"]))
    assert "no gain by training" in leaderboard.verdict(replace(results, sets={"benchmark": same}), floor)[1]
    trained = replace(results, runs={name: one for name, one in results.runs.items() if name != "random"})
    assert leaderboard.verdict(trained, floor) == [first]
    untrained = replace(results, runs={"random": results.runs["random"]})
    assert leaderboard.verdict(untrained, floor)[0].startswith("No run was trained")


def test_the_leaderboard_says_how_embeddings_are_compared_where_runs_differ(run: Path) -> None:
    def euclidean(results: dict[str, Any]) -> None:
        results["metric"] = results["sets"]["pairs"]["definitions"]["metric"] = "euclidean"

    change("tc", euclidean)
    results = read()
    floor = chance(paths.BENCHMARK)
    notes = {line.label: line.note for line in leaderboard.entries(results, floor, styles(results.runs))}
    assert notes["tc"].endswith("Euclidean distance") and notes["baseline"].endswith("cosine similarity")
    assert ("compared by", "cosine similarity or Euclidean distance") in tables.facts(results)
    pairs = next(one for one in sections(results, styles(results.runs)) if one.anchor == "set-pairs")
    assert "metric: cosine (tc: euclidean)" in blocks(pairs, Note)[-1].text


def test_runs_are_compared_on_the_same_probes(run: Path) -> None:
    results = read()
    table = paired_table(results, styles(results.runs))
    assert [row.label for row in table.rows] == ["tc", "baseline", "random"]
    by_name = {row.label: [cell.value for cell in row.cells] for row in table.rows}
    assert by_name["tc"][0] == "+6.2" and by_name["baseline"][0] == "−6.2"  # one of 16 probes
    assert by_name["tc"][1] == "1.000"  # one identity more says nothing
    assert by_name["tc"][4] == "+31.2" and float(by_name["tc"][5]) == pytest.approx(2 / 2**5, abs=1e-3)
    assert by_name["random"][4:] == ["–"] * 4


def test_runs_evaluated_on_different_probes_are_not_compared(run: Path) -> None:
    write_probes("tc", 0.4, 5)
    results = read()
    with pytest.raises(ResultError, match="different probes"):
        paired_table(results, styles(results.runs))


def test_all_runs_of_five_papers_look_different() -> None:
    assert len(set(styles({f"m{number}": of() for number in range(32)}).values())) == 32


def test_chance_is_what_random_rankings_score() -> None:
    rng, mates, gallery = np.random.default_rng(0), np.array([1, 2, 4]), 12
    ranks, found, precision = np.array([1, 3, 10, 12]), [], []
    for _ in range(4000):
        for count in mates:
            places = np.sort(rng.permutation(gallery)[:count]) + 1
            found.append(places[0] <= ranks)
            precision.append(np.mean(np.arange(1, count + 1) / places))
    assert chance_cmc(mates, gallery, ranks) == pytest.approx(np.mean(found, axis=0), abs=0.02)
    assert chance_map(mates, gallery) == pytest.approx(np.mean(precision), abs=0.01)


def test_a_test_set_without_mates_has_no_chance(run: Path) -> None:
    faces = whole(paths.BENCHMARK)
    write_faces(faces.filter(pc.field("split") != "gallery"), paths.BENCHMARK)
    with pytest.raises(ResultError, match=re.escape(str(paths.BENCHMARK))):
        chance(paths.BENCHMARK)


# Sections of test sets


def test_every_test_set_has_a_section_that_shows_every_run(run_with_sets: Path) -> None:
    results = read()
    by_anchor = {one.anchor: one for one in sections(results, styles(results.runs))}
    for name in ("benchmark", "synlr", *SETS):
        one = by_anchor[f"set-{name}"]
        shown = [table for table in blocks(one, Table) if table.rows]
        assert shown and all({row.label for row in table.rows} == set(SKILL) for table in shown), name
        charts = [chart for chart in blocks(one, Charts) if chart.panels]
        assert charts and all("<svg" in panel.chart for chart in charts for panel in chart.panels), name
        assert blocks(one, Note)[-1].text.startswith("Definitions used: "), name
        assert not any(cell.value == "–" for row in shown[0].rows for cell in row.cells[:1]), name
    same = "Native: 8 probes, 23 gallery faces; synthetic: 8 probes, 23 gallery faces."
    assert same in by_anchor["set-synlr"].lead
    assert any("not resolvable with" in note.text for note in blocks(by_anchor["set-surveillance"], Note))
    matrices = next(chart for chart in blocks(by_anchor["set-templates"], Charts) if "1:1: TAR" in chart.title)
    assert [panel.title for panel in matrices.panels] == list(SKILL)
    assert all(panel.chart.count('class="cell"') == 3 * 3 for panel in matrices.panels)


def test_the_benchmark_s_section_has_both_galleries_and_chance_below_the_curves(run: Path) -> None:
    results = read()
    one = sections(results, styles(results.runs))[0]
    (table,) = blocks(one, Table)
    assert one.title == "TinyFace: benchmark" and len(table.titles) == 10
    assert [title for title, _ in table.groups] == [
        "with distractors (76 gallery faces)",
        "without distractors (16 gallery faces)",
    ]
    assert table.rows[0].label == "tc" and table.rows[0].cells[0] == Cell("42.0", "39.0–45.0")
    cmc, pr = blocks(one, Charts)
    assert [panel.title for panel in cmc.panels] == [panel.title for panel in pr.panels]
    assert cmc.legend[-1] == ("chance", "chance") and pr.legend == cmc.legend[:-1]
    assert all("chance" in texts(panel.chart) for panel in cmc.panels)


def test_tables_of_sections_have_the_figures_with_their_intervals(run: Path) -> None:
    results = read()
    found = results.sets["pairs"].figures["tc"]
    one = next(one for one in sections(results, styles(results.runs)) if one.anchor == "set-pairs")
    low, high = found["accuracy_interval"]
    cells = [row.cells[0] for row in blocks(one, Table)[0].rows]
    assert cells == [Cell(f"{100 * found['accuracy']:.1f}", f"{100 * low:.1f}–{100 * high:.1f}")] * len(SKILL)


def test_the_areas_under_the_reject_curves_are_sorted_from_the_least(run: Path) -> None:
    results = read()
    one = rejection.section(results, styles(results.runs))
    assert one.lead.startswith("120 genuine and 900 impostor pairs")
    fixed, again, by_image = blocks(one, Table)
    assert labels(fixed) == labels(again) == labels(by_image) == ["tc", "baseline", "random"]
    assert fixed.rows[0].cells[0] == Cell(f"{20 * (1 - SKILL['tc']):.2f}", "0.00–20.00")
    assert len(blocks(one, Charts)[0].panels) == 2 * 3
    assert blocks(one, Note)[0].text.startswith("20888 genuine pairs were asked for")


# Recognizability


def test_what_weighting_by_quality_brings_is_told_of_the_run_that_predicts_one(run_with_sets: Path) -> None:
    results = read()
    gains = dict.fromkeys(survface.FPIR, CHANGE)
    rates = dict.fromkeys(gains, 0.5)
    results.sets["surveillance"].figures[PREDICTS]["open_set_quality"] = {"tpir": rates, "gain": gains}
    gain = {"verification": dict.fromkeys(ijb.FAR, CHANGE), "identification": {"rank1": CHANGE, "tpir": gains}}
    results.sets["templates"].figures[PREDICTS]["quality"] = {"gain": gain}
    by_anchor = {one.anchor: one for one in sections(results, styles(results.runs))}
    (weighted,) = (one for one in blocks(by_anchor["set-surveillance"], Table) if labels(one) == [PREDICTS])
    assert [cell.value for cell in weighted.rows[0].cells] == ["50.0"] * 4 + ["−6.2"] * 4
    (pooled,) = (one for one in blocks(by_anchor["set-templates"], Table) if labels(one) == [PREDICTS])
    assert [cell.value for cell in pooled.rows[0].cells] == ["−6.2"] * len(pooled.titles)


def test_a_predicted_quality_has_a_section_with_its_rivals_on_the_same_scores(run: Path) -> None:
    results = read()
    one = recognizability.section(results, styles(results.runs))
    assert one is not None
    told, compared = blocks(one, Table)
    assert labels(told) == ["tc"] and [cell.value for cell in told.rows[0].cells] == ["+0.61", "40", "32", "1,200"]
    lies, rejected, side_by_side = blocks(one, Charts)
    assert compared.subject == "Quality" and compared.caption.startswith("FMR 0.001:")  # 0.0001 is not resolved
    assert labels(compared) == ["tc: quality", "baseline: norm", "at random"]
    assert compared.rows[0].cells[2] == Cell("–") and compared.rows[1].cells[2] == Cell("+6.00", "+2.00 to +9.00")
    assert [cell.value for cell in compared.rows[2].cells[-4:]] == ["–"] * 4  # chance is no model's
    assert [panel.title for panel in side_by_side.panels] == [
        f"FMR 0.001, {rejected}, {scores}"
        for scores in ("scores of baseline", "its own scores")
        for rejected in ("pairs rejected", "images rejected")
    ]
    assert [panel.title for panel in lies.panels] == ["tc"]
    assert [label for label, _ in lies.legend] == ["unrecognizable faces", "LR faces", "HR faces"]
    assert [panel.title for panel in rejected.panels] == [
        "FMR 0.001, threshold fixed", "FMR 0.001, threshold re-estimated", "FMR 0.001, images rejected",
    ]  # fmt: skip
    assert len(rejected.legend) == 5 and "the model's own quality" in dict(rejected.legend)
    ends, looked = blocks(one, Sheet)
    assert looked.columns == list(SKILL) and [row.label for row in looked.rows] == ["p0", "p1", "p2"]
    faces = {row["face_id"]: row for row in whole(paths.BENCHMARK).to_pylist()}
    lowest = results.sets["benchmark"].figures["tc"]["recognizability"]["lowest"]
    assert [row.label for row in ends.rows] == ["lowest", "highest"]
    assert [face.uri for face in ends.rows[0].faces] == [uri(faces[face_id]) for face_id in lowest]


def test_without_a_predicted_quality_there_is_no_such_section(run: Path) -> None:
    change("tc", lambda results: results["sets"]["benchmark"].pop("recognizability"))
    results = read()
    one = recognizability.section(results, styles(results.runs))
    assert one is not None and [type(block) for block in one.blocks] == [Table, Charts]  # those of several runs
    write_json(paths.COMPARED_QUALITIES, {})
    results = read()
    assert recognizability.section(results, styles(results.runs)) is None


# Super-resolution


def test_each_run_stands_above_itself_after_super_resolution(run_with_sets: Path) -> None:
    results = read()
    one = super_resolution.section(results, styles(results.runs))
    on_benchmark, on_pairs = (table for table in blocks(one, Table) if table.caption.startswith("Test set"))
    assert labels(on_benchmark)[:2] == ["tc as they are", f"after {NETWORK}"] and len(on_benchmark.rows) == 6
    plain, after = on_benchmark.rows[:2]
    assert plain.cells[0] == Cell("42.0", "39.0–45.0") and after.cells[0] == Cell("35.8", "32.8–38.8")
    assert plain.cells[4:] == [Cell("")] * 8 and after.cells[4:] == CHANGED * 4
    assert on_pairs.caption.startswith("Test set surveillance")
    assert labels(on_pairs)[1::2] == [f"after {NETWORK}"] * len(SKILL)
    assert on_pairs.rows[0].cells[:4] == on_pairs.rows[1].cells[:4] and on_pairs.rows[1].cells[4:] == CHANGED
    cmc = next(chart for chart in blocks(one, Charts) if chart.title == "CMC after super-resolution: benchmark")
    assert [panel.title for panel in cmc.panels] == ["as they are", f"after {NETWORK}"]


@pytest.mark.parametrize(("left", "said"), [(0, ""), (1, " but for 1 face"), (1200, " but for 1,200 faces")])
def test_faces_that_a_network_left_as_they_are_are_told(run: Path, left: int, said: str) -> None:
    condition = f"super_resolved_{NETWORK}"
    change("tc", lambda results: results["sets"]["benchmark"]["conditions"][condition].update(n_unchanged=left))
    results = read()
    table = next(
        one
        for one in blocks(super_resolution.section(results, styles(results.runs)), Table)
        if one.caption.startswith("Test set")
    )
    assert labels(table)[:4] == [
        "tc as they are",
        f"after {NETWORK}{said}",
        "baseline as they are",
        f"after {NETWORK}",
    ]


def test_without_conditions_their_tables_are_left_out(run: Path) -> None:
    for name in SKILL:
        change(name, lambda results: results["sets"]["benchmark"].pop("conditions"))
    results = read()
    one = super_resolution.section(results, styles(results.runs))
    assert not any(table.caption.startswith("Test set") for table in blocks(one, Table))
    assert len(blocks(one, Sheet)) == 2 and len(blocks(one, Table)) == 2


def test_a_sheet_shows_each_face_by_each_network(run: Path) -> None:
    results = read()
    native, sharp = blocks(super_resolution.section(results, styles(results.runs)), Sheet)
    assert native.columns == ["captured", "bicubic", f"{NETWORK}, alone", "in tc"]
    assert sharp.columns == [*native.columns, "original"]
    assert (len(native.rows), len(sharp.rows)) == (2, 1)
    made = whole(paths.EXAMPLES).to_pylist()
    faces = [face for sheet in (native, sharp) for row in sheet.rows for face in row.faces]
    assert [face.uri for face in faces] == [uri(row) for row in made]  # none is resampled
    assert {face.aspect for face in native.rows[0].faces} == {made[0]["width"] / made[0]["height"]}  # not squeezed


def test_fidelity_stands_beside_that_of_bicubic_interpolation(run: Path) -> None:
    results = read()
    table = next(
        one
        for one in blocks(super_resolution.section(results, styles(results.runs)), Table)
        if one.caption.startswith("How true enlarged faces are")
    )
    assert [(row.label, [cell.value for cell in row.cells]) for row in table.rows] == [
        (f"{NETWORK}, to 48 px", ["24.12", "0.731"] * 2),
        ("bicubic, to 48 px", ["23.50", "0.701"] * 2),
    ]


# Landmarks and alignment


def test_the_error_of_landmarks_is_drawn_with_its_interval(run: Path) -> None:
    results = read()
    (charts,) = blocks(alignment.section(results, styles(results.runs)), Charts)
    error, found = (Xml.fromstring(panel.chart) for panel in charts.panels)
    assert len(list(error.iter("polygon"))) == 1 and not list(found.iter("polygon"))
    said = error.get("aria-label", "")
    assert "CNN-6: 21.5 % at 8 px, 7.1 % at 32 px." in said and "MTCNN: 14.0 % at 16 px, 5.0 % at 32 px." in said
    assert "CNN-6, where MTCNN finds a face: 9.3 % at 16 px, 6.4 % at 32 px." in said


def test_it_says_how_faces_are_presented_and_how_many_could_not_be_aligned(run: Path) -> None:
    change("tc", lambda results: results["sets"]["pairs"].update(n_unaligned=1200))
    results = read()
    (table,) = blocks(alignment.section(results, styles(results.runs)), Table)
    assert table.titles == ["Presentation", "benchmark", "pairs"]
    assert [(row.label, [cell.value for cell in row.cells]) for row in table.rows] == [
        ("random", ["faces as cropped", "–", "–"]),
        ("baseline", ["aligned (arcface_112)", "3", "–"]),
        ("tc", ["aligned (arcface_112)", "3", "1,200"]),
    ]


def test_probe_faces_are_shown_as_cropped_and_aligned(run: Path) -> None:
    results = read()
    (sheet,) = blocks(alignment.section(results, styles(results.runs)), Sheet)
    cropped, aligned = sheet.rows
    probes = {uri(row): row for row in whole(paths.BENCHMARK).to_pylist() if row["split"] == "probe"}
    shown = [probes[face.uri] for face in cropped.faces]  # as captured
    assert len(shown) == alignment.FACES and [row["identity"] for row in shown] == sheet.columns
    assert {face.size for face in aligned.faces} == {"112×112"}
    assert len({face.uri for face in aligned.faces}) == alignment.FACES


@pytest.mark.parametrize("why", ["not located", "nobody aligns"])
def test_without_landmarks_or_aligned_runs_there_is_no_picture(run: Path, why: str) -> None:
    results = read()
    if why == "not located":
        paths.NATIVE_LANDMARKS.unlink()
    else:
        results = replace(results, runs={"random": results.runs["random"]})
    assert not blocks(alignment.section(results, styles(results.runs)), Sheet)


# Training, faces, data


def test_every_loss_term_of_every_training_is_drawn(run: Path) -> None:
    results = read()
    found = {one.name: one for one in training_figures(results, styles(results.runs))}
    assert list(found) == ["landmarks", f"super-resolution {NETWORK}", "backbone main", *SKILL]
    assert not found.pop("random").panels
    for one in found.values():
        assert [panel.title for panel in one.panels] == ["identity", "distillation", "learning rate"]
        assert sum(panel.chart.count("<polyline") for panel in one.panels) == 4  # the validation loss beside its term
        assert not any('class="mark"' in panel.chart for panel in one.panels)
    assert (found["tc"].updates, found["tc"].steps) == (12 * UPDATES, 1)


def test_a_mark_shows_where_a_step_of_a_run_begins(run: Path) -> None:
    rows = [[UPDATES * e, 0.1, 9 - e, None, 1000 / 3**e] for e in (1, 2, 3)]
    rows += [[UPDATES * e, 0.1, 9 - e, 5 / e, 1000 / 3**e] for e in (4, 5)]
    rows += [[UPDATES * 5 + 20 * e, 0.1, 9 - e, 5 / e, 1] for e in (1, 2)]
    header = ["step", "learning_rate", "synthetic", "native", "super_resolution"]
    write_csv(paths.training_curve("runs", "tc"), header, rows)
    results = read()
    assert beginnings(results.training[-1].curve) == [3 * UPDATES, 5 * UPDATES]
    drawn = training_figures(results, styles(results.runs))[-1]
    assert (drawn.name, drawn.updates, drawn.steps) == ("tc", 5 * UPDATES + 40, 3)
    assert all(panel.chart.count('class="mark"') == 2 for panel in drawn.panels)
    assert {"1", "10", "100"} <= set(texts(drawn.panels[2].chart))  # logarithmic: 1 to 333


def test_every_synthetic_face_stands_below_its_own_original(run: Path) -> None:
    original, *synthetic, native = sheets.synthetic(["downsample", "photographic"])
    origin = {uri(row): row["face_id"] for row in whole(paths.AUXILIARY).to_pylist()}
    assert [row.label for row in synthetic] == ["downsample", "photographic"]
    for row in synthetic:
        made = {uri(face): dict(face["attributes"]) for face in whole(paths.synthetic(row.label)).to_pylist()}
        assert [made[face.uri]["hr_face_id"] for face in row.faces] == [origin[face.uri] for face in original.faces]
    assert len(native.faces) == len(original.faces) == 10


def test_samples_of_what_learns_are_shown_by_epoch_beside_native_faces(run: Path) -> None:
    assert synthesizers.section(read()) is None, "by default none learns"
    values = yaml.safe_load(paths.PARAMS.read_text()) | {"learned_synthesizers": {"mrgan": {}}}
    write_text(paths.PARAMS, yaml.safe_dump(values, sort_keys=False))
    paths.synthetic("mrgan").write_bytes(paths.synthetic("downsample").read_bytes())
    write_json(paths.drift_result("mrgan"), drift("mrgan"))
    write_csv(paths.training_curve("synthesizers", "mrgan"), ["step", "learning_rate", "pixel"], [[9, 0.1, 2.0]])
    with pytest.raises(ResultError, match="lrfr train-synthesizer mrgan"):
        synthesizers.section(read())
    paths.samples("mrgan").mkdir(parents=True)
    for number, name in enumerate(("hr", "epoch_0001", "epoch_0003", "native")):
        strip = np.full((8, 24, 3), 50 * number, np.uint8)
        (paths.samples("mrgan") / f"{number:02}_{name}.png").write_bytes(encode_png(strip))
    results = read()
    section = synthesizers.section(results)
    assert section is not None
    (sheet,) = section.blocks
    assert [row.label for row in sheet.rows] == ["HR original", "after epoch 1", "after epoch 3", "native, others"]
    assert all([face.size for face in row.faces] == ["8×8"] * 3 for row in sheet.rows)
    assert "synthesizer mrgan" in [one.name for one in training_figures(results, styles(results.runs))]
    assert "Samples of mrgan" in render(results)


def test_the_quality_of_the_data_is_counted(run: Path) -> None:
    results = read()
    assert tables.quality_line([results.validation]) == "14 of 14 expectations met"
    assert tables.quality_line(results.synthetic_validation) == "51 of 62 expectations met"
    assert tables.shares({"a": 1, "b": 3}) == [("b", 3, 0.75), ("a", 1, 0.25)] and tables.shares({}) == []


@pytest.mark.parametrize(("auc", "said"), [(0.52, "hardly"), (0.7, "somewhat"), (0.9, "most"), (0.99, "nearly all")])
def test_the_auc_of_the_drift_is_put_in_words(run: Path, auc: float, said: str) -> None:
    results = read()
    results.drift["downsample"]["summary"]["statistics"]["auc"] = auc
    name, line = tables.drift_lines(results)[0]
    assert name == "downsample" and line.startswith("1 of 2 statistics drifted, which counts as drift.")
    assert f"AUC of {auc:.2f}" in line and said in line


# Native and synthetic LR


def test_the_scoreboard_says_which_synthesizer_is_closest_by_what_and_shows_the_telling_faces(run: Path) -> None:
    results = read()
    one = scoreboard.section(results)
    assert one.lead.startswith("Of the synthesizers, downsample makes faces closest to native ones, by the MMD")
    assert "and by the other measures too" in one.lead and "ask for a warning" in one.lead
    (table,) = blocks(one, Table)
    assert labels(table) == ["downsample closest; differs most in sharpness", "photographic differs most in sharpness"]
    assert [cell.value for cell in table.rows[0].cells] == ["1.0000", "2.000", "0.960", "0.913", "1 of 2"]
    assert table.rows[0].cells[0].interval == "0.9900–1.0100"
    (sheet,) = blocks(one, Sheet)
    native = {uri(row) for row in whole(paths.BENCHMARK).to_pylist() if row["split"] == "train"}
    made = {uri(row) for row in whole(paths.synthetic("downsample")).to_pylist()}
    assert {face.uri for face in sheet.rows[0].faces} <= native and {face.uri for face in sheet.rows[1].faces} <= made
    assert len(sheet.columns) == len(sheet.rows[0].faces) == 4


def test_measures_that_disagree_and_synthesizers_that_are_as_close_are_told(run: Path) -> None:
    results = read()
    board = results.scoreboard
    board["first_by"] |= {"auc": "photographic", "frechet": "photographic"}
    board["tied"] = ["photographic"]
    lead = scoreboard.section(results).lead
    assert "by the Fréchet distance and the classifier's AUC it is photographic" in lead
    assert "photographic may be as close: the intervals meet" in lead


def with_synthesizer(name: str, **changes: object) -> dict[str, Any]:
    low = {"synthesizer": name, "share": 1.0, "heights": [12, 24]}
    return {"method": "baseline", "backbone": "main", "training": {"epochs": 1, "low_resolution": low}} | changes


def from_table(name: str) -> dict[str, Any]:
    return {"method": "baseline", "backbone": "main", "synthesizer": name, "synthetic": {"epochs": 1}}


def test_runs_on_the_tables_of_synthesizers_say_it_too(run: Path) -> None:
    results = read()
    results.params.methods.update(baseline=from_table("photographic"), tc=from_table("closest"))
    (told,) = scoreboard.best_to_train_on(results)
    assert "downsample 42.0 % (tc), photographic 34.0 % (baseline)" in told
    assert "The closest, downsample, was also the best to train on" in told
    results.params.methods.update(baseline=with_synthesizer("photographic"))
    assert scoreboard.best_to_train_on(results) == [], "on the way is another difference"


@pytest.mark.parametrize(
    ("of_tc", "said"),
    [
        (with_synthesizer("photographic"), "The closest, downsample, was not the best to train on: photographic was"),
        (with_synthesizer("closest"), None),
        (with_synthesizer("photographic", backbone="other"), None),
    ],
)  # fmt: skip
def test_runs_that_differ_by_their_synthesizer_alone_say_whether_the_closest_was_the_best(
    run: Path, of_tc: dict[str, Any], said: str | None
) -> None:
    results = read()
    results.params.methods.update(baseline=with_synthesizer("downsample"), tc=of_tc)  # tc is better than baseline
    told = scoreboard.best_to_train_on(results)
    assert len(told) == (said is not None)
    if said is not None:
        assert said in told[0] and "photographic 42.0 % (tc), downsample 34.0 % (baseline)" in told[0]
        assert "Their intervals meet" not in told[0]
        results.scoreboard["ranking"] = ["photographic", "downsample"]
        assert "The closest, photographic, was also the best to train on" in scoreboard.best_to_train_on(results)[0]


# Full resolution, before and after


def test_figures_at_full_resolution_stand_beside_those_of_the_backbone(run: Path) -> None:
    results = read()
    began = results.runs["baseline"].trained[:1]
    backbone = replace(results.runs["tc"], method="pretrained", trained=began)
    known = replace(results, runs=results.runs | {"tc": backbone})
    found = full_resolution.section(known, styles(results.runs))
    pairs = next(table for table in blocks(found, Table) if table.caption.startswith("Test set pairs"))
    assert pairs.titles == ["run", "backbone", "change"] and pairs.groups == [("accuracy", 3)]
    of = results.sets["pairs"].figures
    cells = {row.label: [cell.value for cell in row.cells] for row in pairs.rows}
    before, after = (of[name]["accuracy"] for name in ("tc", "baseline"))
    change = f"{100 * (after - before):+.1f}".replace("-", "\u2212")
    assert cells["baseline"] == [f"{100 * after:.1f}", f"{100 * before:.1f}", change]
    assert cells["random"][1:] == cells["tc"][1:] == ["–", "–"]  # it started from nothing; it is the backbone
    other = replace(backbone, backbone="another")
    unknown = full_resolution.section(replace(known, runs=known.runs | {"tc": other}), styles(results.runs))
    pairs = next(table for table in blocks(unknown, Table) if table.caption.startswith("Test set pairs"))
    assert pairs.titles == ["run"]
