"""The report stage: one offline page of everything, the same bytes every time."""

import re
import shutil
from base64 import b64encode
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml

from lrfr import paths
from lrfr.config import read_params
from lrfr.errors import FaceTableError, ResultError
from lrfr.faces import FACE_SCHEMA, encode_png, face_id, read_faces, write_faces
from lrfr.files import read_json, write_json, write_text
from lrfr.report import sheets
from lrfr.report.chance import chance_cmc, chance_map
from lrfr.report.figures import styles
from lrfr.report.paired import paired_table
from lrfr.report.results import read_results
from lrfr.stages import evaluate, report
from tests.stages.test_evaluate import SETS, write_project

HOSTILE = '<script>alert("x")</script>'
SKILL = {"random": 0.09, "baseline": 0.34, "tc": 0.42}
TRAINS_ON = {"random": None, "baseline": "native", "tc": "auxiliary+native"}
IDENTITIES, DISTRACTORS, PER_IDENTITY = 8, 60, 4


def portrait(rng: np.random.Generator, height: int) -> np.ndarray:
    """A crude face (height, ~0.8 height, 3)."""
    skin = (np.array([215, 170, 140]) * rng.uniform(0.4, 1.05)).clip(0, 255)
    big = np.full((120, 96, 3), rng.integers(30, 200), np.uint8)
    cv2.ellipse(big, (48, 62), (36, 50), 0, 0, 360, skin.tolist(), -1)
    cv2.ellipse(big, (48, 30), (38, 24), 0, 180, 360, (skin * 0.3).tolist(), -1)
    for x in (33, 63):
        cv2.circle(big, (x, 56), 5, (30, 25, 20), -1)
    cv2.ellipse(big, (48, 90), (14, 5), 0, 0, 180, (150, 60, 60), -1)
    small = cv2.resize(big, (round(0.8 * height), height), interpolation=cv2.INTER_AREA)
    return (small + rng.normal(0, 6, small.shape)).clip(0, 255).astype(np.uint8)


def face(rng: np.random.Generator, key: str, height: int, **columns: object) -> dict:
    image = portrait(rng, height)
    row = dict.fromkeys(FACE_SCHEMA.names) | {"face_id": face_id(image, key), "source": "test", "attributes": []}
    return row | {"image": encode_png(image), "width": image.shape[1], "height": height} | columns


def write_tables(rng: np.random.Generator, synthesizers: list[str]) -> None:
    names = [HOSTILE, *(f"p{number:03}" for number in range(1, 2 * IDENTITIES))]
    rows = []
    for number, name in enumerate(names):
        for shot in range(PER_IDENTITY):
            split = "train" if number >= IDENTITIES else ("probe", "gallery")[shot % 2]
            rows.append(face(rng, f"{number} {shot}", int(rng.integers(8, 33)), identity=name, split=split))
    rows += [face(rng, f"d{n}", int(rng.integers(8, 33)), split="distractor") for n in range(DISTRACTORS)]
    write_faces(pa.Table.from_pylist(rows, FACE_SCHEMA), paths.BENCHMARK)
    hr = [face(rng, f"hr{n}", 120, identity=f"a{n // 3}", split="train") for n in range(36)]
    write_faces(pa.Table.from_pylist(hr, FACE_SCHEMA), paths.AUXILIARY)
    for name in synthesizers:
        made = [
            face(rng, f"{name} {row['face_id']}", 10 + n % 20, attributes=[("hr_face_id", row["face_id"])])
            for n, row in enumerate(hr)
        ]
        write_faces(pa.Table.from_pylist(made, FACE_SCHEMA), paths.synthetic(name))


def figures(skill: float, gallery: int) -> dict:
    shares = {
        "rank1": skill,
        "rank5": skill + 0.1,
        "rank10": skill + 0.15,
        "rank20": skill + 0.25,
        "rank50": skill + 0.4,
    }
    shares |= {"map": 0.8 * skill, "map_official": 0.7 * skill}
    intervals = {f"{name}_interval": [max(value - 0.03, 0), value + 0.03] for name, value in shares.items()}
    return {**shares, **intervals, "n_probe": 2 * IDENTITIES, "n_gallery": gallery}


def write_method(method: str, skill: float) -> None:
    gallery = 2 * IDENTITIES
    results = {"distractors": figures(skill, gallery + DISTRACTORS), "no_distractors": figures(skill + 0.1, gallery)}
    write_json(
        paths.metrics(method),
        {"method": method, "trains_on": TRAINS_ON[method], "tinyface": results, "erc": rejection(skill)},
    )
    ranks = range(1, gallery + 1)
    cmc = [f"{k},{min(skill + 0.16 * np.log(k), 1):.6f},{min(skill + 0.1 + 0.16 * np.log(k), 1):.6f}" for k in ranks]
    write_text(paths.curve("cmc", method), "\n".join(["rank,with_distractors,without_distractors", *cmc, ""]))
    pr = [f"{r / 20},{skill * (1.3 - r / 20):.6f},{(skill + 0.1) * (1.3 - r / 20):.6f}" for r in range(1, 21)]
    write_text(paths.curve("pr", method), "\n".join(["recall,with_distractors,without_distractors", *pr, ""]))
    columns = [f"{quality} {variant} 0.001" for quality in ("norm", "size") for variant in ("fixed", "reestimated")]
    erc = [",".join([f"{r / 100}", *[f"{(1 - skill) * (1 - r / 200):.6f}"] * len(columns)]) for r in range(96)]
    write_text(paths.curve("erc", method), "\n".join([",".join(["ratio", *columns]), *erc, ""]))
    write_probes(method, skill, gallery)
    write_training(method, [] if method == "random" else range(1, 13))


def write_probes(method: str, skill: float, count: int) -> None:
    """Ranks of the probes: the first ``skill`` of them are identified, so that a better method beats a worse one."""
    found = np.arange(count) < skill * count
    path = paths.evaluated(method)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        face_id=np.array([f"f{n}" for n in range(count)]),
        identity=np.arange(count),
        rank=np.where(found, 1, 7),
        average_precision=np.where(found, 1.0, 0.2),
    )


def rejection(skill: float) -> dict:
    areas = {"pauc20": 0.2 * (1 - skill), "pauc95": 0.6 * (1 - skill), "not_resolvable": []}
    areas |= {"pauc20_interval": [0.0, 0.2], "pauc95_interval": [0.0, 0.6]}
    by_variant = {variant: {"0.001": areas} for variant in ("fixed", "reestimated")}
    return {
        "qualities": {"norm": by_variant, "size": by_variant},
        "n_genuine": 120,
        "n_impostor": 900,
        "capped": ["20888 genuine pairs were asked for, 120 exist"],
        "definitions": {"metric": "cosine"},
    }


def write_training(name: str, epochs: Iterable[int]) -> None:
    rows = [
        f"{e * 60},{0.05 * (1 - e / 13):.6f},{9 * 0.8**e + 1:.6f},{0.4 * 0.9**e:.6f},{'' if e % 2 else 8 * 0.8**e}"
        for e in epochs
    ]
    header = "step,learning_rate,identity,distillation,validation_identity"
    write_text(paths.curve("training", name), "\n".join([header, *rows, ""]))


def write_run(evaluated: Path, sets: tuple[str, ...]) -> None:
    """A whole run's results in the current folder, in the formats that the other stages write.

    Every method has the same results on the test sets, those of the ``evaluated`` project.
    """
    text = (Path(__file__).parents[2] / "params.yaml").read_text(encoding="utf-8")
    params = yaml.safe_load(text)
    params["methods"] = {method: {} for method in SKILL}
    params["evaluation_sets"] = {name: {"source": SETS[name][0], "root": "."} for name in sets}
    write_text(paths.PARAMS, yaml.safe_dump(params, sort_keys=False))
    rng, synthesizers = np.random.default_rng(0), list(params["synthesizers"])
    write_tables(rng, synthesizers)
    write_training("pretrained", range(1, 17))
    for method, skill in SKILL.items():
        write_method(method, skill)
        on_sets = read_json(evaluated / paths.metrics("random"))["sets"]
        write_json(paths.metrics(method), read_json(paths.metrics(method)) | {"sets": on_sets})
        shutil.copytree(evaluated / "plots/sets/random", Path("plots/sets") / method)
    bins = [(6, 12, 40, 12), (12, 16, 80, 50), (16, 24, 200, 180), (24, 32, 120, 118), (32, None, 0, 0)]
    by_height = [
        {"from": low, "to": high, "faces": n, "found": k, "recall": k / n if n else None, "false_alarms": 3}
        for low, high, n, k in bins
    ]
    photos = {"native": 640, "auxiliary": 2880, "without_face": 4, "unreadable": 0}
    write_json(
        paths.DETECTION_METRICS,
        {"photos": photos, "faces": {"native": 3000, "auxiliary": 2876}, "by_height": by_height},
    )
    write_json(paths.LABELLER_METRICS, {"agreement": {"overall": {"faces": 2400, "raw": 0.94, "fleiss_kappa": 0.81}}})
    reasons = {"too_large": 300, "not_face": 120, "duplicate": 0, "unrecognizable": 41}
    write_json(
        paths.CURATION_METRICS,
        {"detected": 3000, "kept": 2539, "set_aside": reasons, "adjudicated": 140},
    )
    statistics = {"evaluated_expectations": 14, "successful_expectations": 14}
    write_json(paths.VALIDATION_RESULT, {"success": True, "tables": {"benchmark": {"statistics": statistics}}})
    for path, met in ((paths.TWIN_INSPECTION, 21), (paths.SYNTHETIC_INSPECTION, 30)):
        statistics = {"evaluated_expectations": 31, "successful_expectations": met}
        write_json(path, {"success": met == 31, "tables": {path.stem: {"statistics": statistics}}})
    for name in synthesizers:
        columns = {"sharpness": {"distance": 0.5, "drifted": True}, "noise": {"distance": 0.02, "drifted": False}}
        summary = {"columns": columns, "drifted_share": 0.5, "drift": True, "classifier_auc": 0.913}
        write_json(paths.drift_result(name), {"synthesizer": name, "summary": summary, "evidently": {}})


def uri(row: dict) -> str:
    return "data:image/png;base64," + b64encode(row["image"]).decode()


class Addresses(HTMLParser):
    """Collects what a browser would load or open, and the tags."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded, self.tags, self.text, self.images = [], [], [], []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]
        self.images += [dict(attrs)] if tag == "img" else []

    def handle_data(self, data: str) -> None:
        self.text.append(data)


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


def read_page() -> tuple[str, Addresses]:
    page = paths.REPORT.read_text(encoding="utf-8")
    parsed = Addresses()
    parsed.feed(page)
    return page, parsed


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
        if not address.startswith(("data:", "#", "quality.html", "quality_made.html", "data_card.html", "drift_"))
    ]
    assert not re.findall(r"url\(|@import", page) and "script" not in parsed.tags
    assert all(image["src"].startswith("data:image/png;base64,") and image["alt"] for image in parsed.images)
    linked = {"quality.html", "quality_made.html", "drift_downsample.html", "drift_photographic.html"}
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
    assert sections == [f"set-{name}" for name in ("twin", *SETS)]
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
    write_json(paths.CURATION_METRICS, {"detected": 1, "kept": 1, "set_aside": {}, "adjudicated": 0})
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
        (paths.TWIN_INSPECTION, "lrfr inspect"),
    ],
)
def test_a_missing_result_is_named_with_its_stage(run: Path, path: Path, command: str) -> None:
    path.unlink()
    with pytest.raises(ResultError, match=re.escape(str(path))) as caught:
        report.run()
    assert command in str(caught.value)
    assert not paths.REPORT.exists()


def test_a_missing_face_table_is_named(run: Path) -> None:
    paths.synthetic("photographic").unlink()
    with pytest.raises(FaceTableError, match=r"photographic\.parquet"):
        report.run()


@pytest.mark.parametrize("content", ["rank,with_distractors\n1,none\n", "rank,with_distractors\n1\n"])
def test_a_damaged_curve_is_named(run: Path, content: str) -> None:
    write_text(paths.curve("cmc", "tc"), content)
    with pytest.raises(ResultError, match=r"tc\.csv"):
        report.run()


def test_every_synthetic_face_stands_below_its_own_original(run: Path) -> None:
    original, *synthetic, native = sheets.synthetic(["downsample", "photographic"])
    origin = {uri(row): row["face_id"] for row in read_faces(paths.AUXILIARY).to_pylist()}
    assert [row.label for row in synthetic] == ["downsample", "photographic"]
    for row in synthetic:
        made = {uri(face): dict(face["attributes"]) for face in read_faces(paths.synthetic(row.label)).to_pylist()}
        assert [made[face.uri]["hr_face_id"] for face in row.faces] == [origin[face.uri] for face in original.faces]
    assert len(native.faces) == len(original.faces) == 10


def test_sixteen_methods_look_different() -> None:
    assert len(set(styles([f"m{number}" for number in range(16)]).values())) == 16


def test_a_gallery_without_distractors_and_a_training_of_one_epoch(run: Path) -> None:
    faces = read_faces(paths.BENCHMARK)
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
