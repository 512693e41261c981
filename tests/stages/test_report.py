"""The report stage: one offline page of everything, the same bytes every time."""

import re
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest
import yaml

from lrfr import paths
from lrfr.config import read_params
from lrfr.errors import FaceTableError, ResultError
from lrfr.faces import write_faces
from lrfr.files import read_json, write_json, write_text
from lrfr.report import sheets
from lrfr.report.chance import chance_cmc, chance_map
from lrfr.report.figures import styles
from lrfr.report.paired import paired_table
from lrfr.report.results import read_results
from lrfr.report.training import beginnings
from lrfr.stages import evaluate, report
from tests.face_tables import whole
from tests.stages.report_run import (
    HOSTILE,
    NETWORK,
    SKILL,
    UPDATES,
    read_page,
    section_of,
    table_rows,
    uri,
    write_probes,
    write_run,
    write_training,
)
from tests.stages.test_evaluate import SETS, write_project


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


def test_page_shows_every_method_and_needs_nothing_else(run: Path) -> None:
    report.run()
    page, parsed = read_page()
    text = " ".join(parsed.text)
    assert all(method in text for method in SKILL)
    assert "42.0\u00a0%" in text and "39.0–45.0" in text  # tc's rank-1 with its interval
    assert "44.8" in text and "CSRI, ACCV 2018, Table 5" in text
    assert not [
        address
        for address in parsed.loaded
        if not address.startswith(("data:", "#", "quality.html", "quality_synthetic.html", "data_card.html", "drift_"))
    ]
    assert not re.findall(r"url\(|@import", page) and "script" not in parsed.tags
    assert all(image["src"].startswith("data:image/png;base64,") and image["alt"] for image in parsed.images)
    linked = {"quality.html", "quality_synthetic.html", "drift_downsample.html", "drift_photographic.html"}
    assert linked <= set(parsed.loaded)
    assert ": 14 of 14 expectations met" in text and ": 51 of 62 expectations met" in text


def test_leaderboard_is_sorted_by_rank1(run: Path) -> None:
    report.run()
    table = read_page()[0].split("<tbody>")[1]
    assert table.index(">tc<") < table.index(">baseline<") < table.index(">random<") < table.index(">chance<")


def test_verdict_admits_when_training_shows_no_gain(run: Path) -> None:
    for method in ("baseline", "tc"):
        write_json(paths.metrics(method), read_json(paths.metrics("random")))
    report.run()
    assert "this run shows no gain by training" in read_page()[0]


def test_the_leaderboard_says_what_each_method_trained_on(run: Path) -> None:
    report.run()
    table = read_page()[0].split("<tbody>")[1].split("</tbody>")[0]
    rows = {name: row for row in table.split("<tr>") for name in SKILL if f">{name}<" in row}
    assert "auxiliary HR faces" in rows["tc"] and "native LR faces" in rows["baseline"]
    assert "untrained weights" in rows["random"]
    assert "trained on auxiliary HR faces and native LR faces" in rows["tc"]


def test_methods_are_compared_on_the_same_probes(run: Path) -> None:
    styles_of = styles(list(SKILL))
    table = paired_table(read_results(read_params()), styles_of)
    assert [row.label for row in table.rows] == ["tc", "baseline", "random"]
    by_name = {row.label: [cell.value for cell in row.cells] for row in table.rows}
    assert by_name["tc"][0] == "+6.2" and by_name["baseline"][0] == "−6.2"  # one of 16 probes
    assert by_name["tc"][1] == "1.000"  # one identity more says nothing
    assert by_name["tc"][4] == "+31.2" and float(by_name["tc"][5]) == pytest.approx(2 / 2**5, abs=1e-3)
    assert by_name["random"][4:] == ["–"] * 4


def test_methods_evaluated_on_different_probes_are_not_compared(run: Path) -> None:
    write_probes("tc", 0.4, 5)
    with pytest.raises(ResultError, match="different probes"):
        report.run()


def test_every_test_set_has_its_section(run_with_sets: Path) -> None:
    report.run()
    page, parsed = read_page()
    sections = re.findall(r'<section id="(set-[^"]+)"', page)
    assert sections == [f"set-{name}" for name in ("synlr", *SETS)]
    assert all(f"#{anchor}" in parsed.loaded for anchor in sections)  # in the contents
    by_section = dict(zip(sections, re.split(r'<section id="set-', page)[1:], strict=True))
    for name in SETS:
        section = by_section[f"set-{name}"]
        assert all(f"</svg>{method}</th>" in section for method in SKILL)
        assert "<polyline" in section and "Definitions used" in section
    same_faces = "Native: 8 probes, 23 gallery faces; synthetic: 8 probes, 23 gallery faces."
    assert same_faces in by_section["set-twin"]
    assert "not resolvable with" in by_section["set-surveillance"]
    assert by_section["set-templates"].count('class="cell"') == 3 * 3 * len(SKILL)  # a cross-resolution matrix for each
    assert "script" not in parsed.tags


def test_tables_of_sections_have_the_figures_with_their_intervals(run: Path) -> None:
    report.run()
    found = read_json(paths.metrics("tc"))["sets"]["pairs"]
    section = read_page()[0].split('<section id="set-pairs"')[1].split("</section>")[0]
    low, high = found["accuracy_interval"]
    assert f">{100 * found['accuracy']:.1f}" in section.replace("\n", "")
    assert f"{100 * low:.1f}–{100 * high:.1f}" in section


def test_a_test_set_that_a_method_was_not_evaluated_on_is_named(run: Path) -> None:
    results = read_json(paths.metrics("tc"))
    del results["sets"]["pairs"]
    write_json(paths.metrics("tc"), results)
    with pytest.raises(ResultError, match="'pairs'") as caught:
        report.run()
    assert "lrfr evaluate tc" in str(caught.value)


@pytest.mark.parametrize(("auc", "said"), [(0.52, "hardly"), (0.7, "somewhat"), (0.9, "most"), (0.99, "nearly all")])
def test_the_auc_of_the_drift_is_put_in_words(run: Path, auc: float, said: str) -> None:
    result = read_json(paths.drift_result("downsample"))
    result["summary"]["classifier_auc"] = auc
    write_json(paths.drift_result("downsample"), result)
    report.run()
    line = next(text for text in read_page()[1].text if f"AUC of {auc:.2f}" in text)
    assert said in line and line.count("drift") == 2  # "drifted, which counts as drift"


def test_two_runs_give_the_same_bytes(run: Path) -> None:
    report.run()
    first = paths.REPORT.read_bytes()
    report.run()
    assert paths.REPORT.read_bytes() == first


def test_names_from_the_data_are_escaped(run: Path) -> None:
    report.run()
    page, parsed = read_page()
    assert HOSTILE in "".join(parsed.text)  # as text, once parsed
    assert HOSTILE not in page


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
    assert not {"False alarms", "κ"} & {word for part in read_page()[1].text for word in (part, *part.split())}


@pytest.mark.parametrize(
    ("path", "command"),
    [
        (paths.metrics("tc"), "lrfr evaluate tc"),
        (paths.curve("cmc", "baseline"), "lrfr evaluate baseline"),
        (paths.curve("erc", "tc"), "lrfr evaluate tc"),
        (paths.evaluated("tc"), "lrfr evaluate tc"),
        (paths.curve("training", "pretrained"), "lrfr pretrain"),
        (paths.DETECTION_METRICS, "lrfr detect"),
        (paths.drift_result("downsample"), "lrfr drift downsample"),
        (paths.SYNLR_VALIDATION, "lrfr validate-synthetic"),
        (paths.LANDMARK_ERROR, "lrfr train-landmarks"),
        (paths.super_resolution_metrics(NETWORK), f"lrfr train-sr {NETWORK}"),
        (paths.curve("training", f"super_resolution_{NETWORK}"), f"lrfr train-sr {NETWORK}"),
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


@pytest.mark.parametrize("content", ["rank,with_distractors\n1,none\n", "rank,with_distractors\n1\n"])
def test_a_damaged_curve_is_named(run: Path, content: str) -> None:
    write_text(paths.curve("cmc", "tc"), content)
    with pytest.raises(ResultError, match=r"tc\.csv"):
        report.run()


def test_every_synthetic_face_stands_below_its_own_original(run: Path) -> None:
    original, *synthetic, native = sheets.synthetic(["downsample", "photographic"])
    origin = {uri(row): row["face_id"] for row in whole(paths.AUXILIARY).to_pylist()}
    assert [row.label for row in synthetic] == ["downsample", "photographic"]
    for row in synthetic:
        made = {uri(face): dict(face["attributes"]) for face in whole(paths.synthetic(row.label)).to_pylist()}
        assert [made[face.uri]["hr_face_id"] for face in row.faces] == [origin[face.uri] for face in original.faces]
    assert len(native.faces) == len(original.faces) == 10


def test_all_methods_of_five_papers_look_different() -> None:
    assert len(set(styles([f"m{number}" for number in range(32)]).values())) == 32


def test_a_gallery_without_distractors_and_a_training_of_one_epoch(run: Path) -> None:
    faces = whole(paths.BENCHMARK)
    write_faces(faces.filter(pc.field("split") != "distractor"), paths.BENCHMARK)
    write_training("tc", [1])
    report.run()
    assert "Distractors</h3>" not in read_page()[0]


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


def test_only_methods_that_are_compared_are_shown(run: Path) -> None:
    assert "left_out" in read_params().methods
    report.run()
    assert "left_out" not in read_page()[0]


def test_each_method_stands_above_itself_after_super_resolution(run_with_sets: Path) -> None:
    report.run()
    section = section_of(read_page()[0], "super-resolution")
    rows = table_rows(section, "on the benchmark with distractors")
    assert [row[0] for row in rows[:2]] == ["tc as they are", f"after {NETWORK}"] and len(rows) == 2 * len(SKILL)
    assert rows[0][1] == "42.0 39.0–45.0" and rows[1][1] == "35.8 32.8–38.8"
    assert rows[0][5:] == [""] * 8 and rows[1][5:] == ["−6.2 −10.0 to +2.0", "0.031"] * 4
    on_pairs = table_rows(section, "Test set surveillance")
    assert [row[0] for row in on_pairs[1::2]] == [f"after {NETWORK}"] * len(SKILL)
    assert on_pairs[0][1:5] == on_pairs[1][1:5] and on_pairs[1][5:] == ["−6.2 −10.0 to +2.0", "0.031"]


def test_each_method_stands_above_itself_on_aligned_faces(run_with_sets: Path) -> None:
    report.run()
    section = section_of(read_page()[0], "alignment")
    for caption in ("The benchmark, with distractors", "Test set templates"):
        rows = table_rows(section, caption)
        assert [row[0].split()[-1] for row in rows] == ["are", "aligned"] * len(SKILL)
        assert "−6.2 −10.0 to +2.0" in rows[1]
    assert "Test set surveillance" not in section  # its protocol asks for no alignment


@pytest.mark.parametrize(
    ("left", "said"), [(0, "aligned"), (1, "aligned but for 1 face"), (1200, "aligned but for 1,200 faces")]
)
def test_faces_that_a_condition_left_as_they_are_are_told(run: Path, left: int, said: str) -> None:
    results = read_json(paths.metrics("tc"))
    results["tinyface"]["conditions"]["aligned"]["n_unchanged"] = left
    write_json(paths.metrics("tc"), results)
    report.run()
    rows = table_rows(section_of(read_page()[0], "alignment"), "The benchmark, with distractors")
    assert [row[0] for row in rows[:4]] == ["tc as they are", said, "baseline as they are", "aligned"]


def test_without_conditions_their_tables_are_left_out(run: Path) -> None:
    params = yaml.safe_load(paths.PARAMS.read_text())
    params["evaluate"] |= {"aligned": False, "super_resolution": []}
    write_text(paths.PARAMS, yaml.safe_dump(params))
    for method in SKILL:
        results = read_json(paths.metrics(method))
        del results["tinyface"]["conditions"]
        write_json(paths.metrics(method), results)
    report.run()
    page = read_page()[0]
    assert "as they are" not in page and "Super-resolved native faces" in page and "CNN-6" in page


def test_a_sheet_shows_each_face_by_each_network(run: Path) -> None:
    report.run()
    section = section_of(read_page()[0], "super-resolution")
    sheets_shown = section.split('<table class="matrix sheet">')[1:]
    titles = ["Identity", "captured", "bicubic", f"{NETWORK}, alone", "in tc"]
    for shown, more, count in zip(sheets_shown, ([], ["original"]), (2, 1), strict=True):
        assert re.findall(r'<th scope="col">(.*?)</th>', shown) == [*titles, *more]
        assert shown.split("</table>")[0].count('<th scope="row">') == count
    made = whole(paths.EXAMPLES).to_pylist()
    assert re.findall(r'src="(data:[^"]+)"', section) == [uri(row) for row in made]  # none is resampled
    ratio = made[0]["width"] / made[0]["height"]
    assert section.count(f'style="aspect-ratio: {ratio:.3f}"') >= 4  # not squeezed as networks see it


def test_fidelity_stands_beside_that_of_bicubic_interpolation(run: Path) -> None:
    report.run()
    rows = table_rows(section_of(read_page()[0], "super-resolution"), "How true enlarged faces are")
    assert rows == [
        [f"{NETWORK}, to 48 px", *["24.12", "0.731"] * 2],
        ["bicubic, to 48 px", *["23.50", "0.701"] * 2],
    ]


def test_the_error_of_landmarks_is_drawn_with_its_interval(run: Path) -> None:
    report.run()
    section = section_of(read_page()[0], "alignment")
    assert section.count("<polygon") == 1
    assert "CNN-6: 21.5 % at 8 px, 7.1 % at 32 px." in section and "MTCNN: 14.0 % at 16 px, 5.0 % at 32 px." in section
    assert "CNN-6, where MTCNN finds a face: 9.3 % at 16 px, 6.4 % at 32 px." in section


def test_the_leaderboard_says_how_embeddings_are_compared_where_methods_differ(run: Path) -> None:
    report.run()
    assert "Euclidean" not in read_page()[0]
    results = read_json(paths.metrics("tc"))
    results["sets"]["pairs"]["definitions"]["metric"] = "euclidean"
    write_json(paths.metrics("tc"), results | {"metric": "euclidean"})
    report.run()
    page = read_page()[0]
    rows = {row[0].split()[0]: row[0] for row in table_rows(page, "sorted by rank-1")}
    assert rows["tc"].endswith("Euclidean distance") and rows["baseline"].endswith("cosine similarity")
    assert "metric: cosine (tc: euclidean)" in section_of(page, "set-pairs")


def test_every_loss_term_of_every_training_is_drawn(run: Path) -> None:
    report.run()
    section = section_of(read_page()[0], "training")
    trained = ["pretrained", "landmarks", f"super_resolution_{NETWORK}", "baseline", "tc"]
    assert re.findall(r"<h3>(\S+)", section) == [*trained[:3], "random</h3>", *trained[3:]]
    parts = [part for part in section.split("<h3>")[1:] if "Not trained" not in part]
    for part in parts:
        assert re.findall("<h4>(.*?)</h4>", part) == ["identity", "distillation", "learning rate"]
        assert part.count("<polyline") == 4  # the validation loss in the chart of its term
    assert 'class="mark"' not in section


def test_a_mark_shows_where_a_step_of_a_method_begins(run: Path) -> None:
    rows = [f"{UPDATES * e},0.1,{9 - e},,{1000 / 3**e}" for e in (1, 2, 3)]
    rows += [f"{UPDATES * e},0.1,{9 - e},{5 / e},{1000 / 3**e}" for e in (4, 5)]
    rows += [f"{UPDATES * 5 + 20 * e},0.1,{9 - e},{5 / e},1" for e in (1, 2)]
    header = "step,learning_rate,synthetic,native,super_resolution"
    write_text(paths.curve("training", "tc"), "\n".join([header, *rows, ""]))
    assert beginnings(read_results(read_params()).training["tc"]) == [3 * UPDATES, 5 * UPDATES]
    report.run()
    training = section_of(read_page()[0], "training").split("<h3>tc ")[1]
    assert training.startswith(f'<span class="hint">{5 * UPDATES + 40} updates in 3 steps')
    charts = training.split("<h4>")[1:]
    assert all(chart.count('class="mark"') == 2 for chart in charts)
    assert {">1<", ">10<", ">100<"} <= set(re.findall(r">10*<", charts[2]))  # logarithmic: 1 to 333
