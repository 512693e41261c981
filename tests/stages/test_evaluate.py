"""evaluate on a tiny project: the benchmark, its SynLR version, and an imported test set of every kind."""

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lrfr import paths
from lrfr.errors import BenchmarkError, EmbeddingError, FaceTableError, ParameterError, ResultError
from lrfr.faces import ENROLMENT_SCHEMA, FACE_SCHEMA, PAIR_SCHEMA, read_faces, write_faces, write_table
from lrfr.files import read_json, write_json
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.options import Evaluate, options_for
from lrfr.stages import compare_qualities, evaluate
from tests.face_tables import split_rows, whole, write_params, write_split
from tests.protocols import small_sets
from tests.protocols.benchmarks import embed

# By name: the protocol, the tables, and the views that the protocol asks for
SETS = {
    "surveillance": ("survface", small_sets.surveillance(), ()),
    "mugshots": ("scface", small_sets.mugshots(13), ()),
    "templates": ("ijb", small_sets.template_set(small_sets.TINY), ("side_8", "side_16")),
    "pairs": ("folds", small_sets.fold_set(True), ("mirror",)),
    "distractors": ("rifr", small_sets.distractor_set(), ("width_20", "width_25")),
}
EVALUATE = {"bootstrap": 20, "sides": [8, 16], "widths": [20]}
CONDITIONS = {"benchmark": ("super_resolved_vdsr",), "surveillance": ("super_resolved_vdsr",)}
TRAINED = [{"step": "training", "faces": {"native": 20}, "passes": {"native": 0.8}, "updates": 2}]
FACTS = {"presentation": "as_cropped", "metric": "cosine", "trained": TRAINED, "quality": None, "model": "0" * 64}


def write_embeddings(
    run: str, test_set: str, faces: pa.Table, seed: int, views: tuple[str, ...] = (), **facts: object
) -> None:
    faces = faces.filter(np.array(faces["split"].to_pylist(), object) != "train")
    found = embed(Benchmark(faces), 1.0, views, missing=[1], seed=seed)
    told = FACTS | facts
    arrays = dict(found.stored) | {"face_id": np.array(faces["face_id"].to_pylist()), "missing": found.missing}
    if told["presentation"] != "as_cropped":
        arrays["unaligned"] = np.arange(faces.num_rows) % 4 == 0
    path = paths.embeddings(run, test_set)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, facts=np.array(json.dumps(told)), **arrays)


def parameters(runs: tuple[str, ...] = ("random",), **changed: object) -> None:
    sets = {name: {"source": "test", "root": "."} for name in SETS}
    methods = {run: {"method": "random", "backbone": "main"} for run in runs}
    write_params(evaluate=EVALUATE | changed, evaluation_sets=sets, methods=methods)


def write_project(runs: tuple[str, ...] = ("random",), conditions: bool = False, **facts: object) -> None:
    """Tables and embeddings of every test set in the current folder."""
    parameters(runs, **({"super_resolution": ["vdsr"]} if conditions else {}))
    write_split()
    twins = zip(split_rows(seed=1)[0], split_rows()[0], strict=True)
    rows = [face | {"attributes": [("native_face_id", native["face_id"])]} for face, native in twins]
    # one identity (four faces) and five distractors fewer than there are native faces
    rows = [row for row in rows if row["split"] != "train" and row["identity"] != "n007"][:-5]
    write_faces(pa.Table.from_pylist(rows, FACE_SCHEMA), paths.SYNLR)
    for name, (protocol, imported, _) in SETS.items():
        images = pa.array([b""] * imported.faces.num_rows, pa.binary())
        write_faces(imported.faces.append_column("image", images), paths.test_set(name))
        write_table(imported.pairs, paths.test_set(name, "pairs"), PAIR_SCHEMA)
        write_table(imported.enrolment, paths.test_set(name, "enrolment"), ENROLMENT_SCHEMA)
        write_json(paths.test_set_facts(name), {"source": "test", "protocol": protocol})
    for seed, run in enumerate(runs):
        others = CONDITIONS if conditions else {}
        write_embeddings(run, "benchmark", read_faces(paths.BENCHMARK), seed, others.get("benchmark", ()), **facts)
        write_embeddings(run, "synlr", read_faces(paths.SYNLR), seed, **facts)
        for name, (_, imported, views) in SETS.items():
            write_embeddings(run, name, imported.faces, seed, views + others.get(name, ()), **facts)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_project()
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for part in ("metrics", "plots", "data/evaluated")
        for path in sorted((folder / part).rglob("*"))
        if path.is_file()
    }


def test_every_set_is_scored_by_its_protocol(project: Path) -> None:
    evaluate.run("random")
    results = read_json(paths.metrics("random"))
    assert {name: found["protocol"] for name, found in results["sets"].items()} == {
        "benchmark": "tinyface",
        "synlr": "synlr",
        "surveillance": "survface",
        "mugshots": "scface",
        "templates": "ijb",
        "pairs": "folds",
        "distractors": "rifr",
    }
    assert set(results) == {"run", "method", "backbone", "metric", "presentation", "trained", "sets"}
    assert (results["run"], results["method"], results["backbone"]) == ("random", "random", "main")
    assert (results["metric"], results["presentation"], results["trained"]) == ("cosine", "as_cropped", TRAINED)
    benchmark = results["sets"]["benchmark"]
    assert benchmark["distractors"]["n_gallery"] == 30
    assert benchmark["distractors"]["n_missing_gallery"] == 1
    assert set(benchmark["rejection"]["qualities"]) == {"norm", "size", "detector"}
    assert benchmark["rejection"]["definitions"] and not benchmark.get("conditions")
    assert {found["n_unaligned"] for found in results["sets"].values()} == {None}
    assert all(found["definitions"] for found in results["sets"].values())
    curves = {path.relative_to("plots/sets/random").as_posix() for path in Path("plots/sets/random").rglob("*.csv")}
    assert curves == {
        *(f"benchmark/{kind}.csv" for kind in ("cmc", "pr", "erc")),
        *(f"synlr/{kind}.csv" for kind in ("cmc", "pr")),
        *(f"surveillance/{kind}.csv" for kind in ("roc", "open_set")),
        *(
            f"templates/{kind}.csv"
            for kind in ("roc", "cmc", "det", "resolution_roc", "resolution_cmc", "resolution_det", "tiny_roc")
        ),
        *(f"distractors/{kind}.csv" for kind in ("rank1", "roc")),
        "mugshots/cmc.csv",
        "pairs/roc.csv",
    }
    with np.load(paths.evaluated("random")) as probes:
        found = benchmark["distractors"]
        assert set(probes) == {"face_id", "identity", "rank", "average_precision"}
        assert len(probes["rank"]) == len(probes["average_precision"]) == found["n_probe"]
        assert np.mean(probes["rank"] == 1) == pytest.approx(found["rank1"], abs=1e-6)


def test_embeddings_of_another_model_than_the_other_sets_are_refused(project: Path) -> None:
    faces = read_faces(paths.SYNLR)
    write_embeddings("random", "synlr", faces, 0, model="1" * 64)
    with pytest.raises(EmbeddingError, match=r"'synlr' are not of the model(.|\n)*model differs"):
        evaluate.run("random")


def test_the_synlr_set_stands_beside_the_same_faces_of_the_benchmark(project: Path) -> None:
    evaluate.run("random")
    results = read_json(paths.metrics("random"))
    synlr = results["sets"]["synlr"]
    for part, counts in {"distractors": (8, 23), "no_distractors": (8, 8)}.items():
        assert (synlr[part]["n_probe"], synlr[part]["n_gallery"]) == counts
        assert (synlr["native"][part]["n_probe"], synlr["native"][part]["n_gallery"]) == counts
    assert results["sets"]["benchmark"]["distractors"]["n_gallery"] == 30
    # a benchmark that was split again has other faces than those that the SynLR set was made for
    rows = [row for row in whole(paths.BENCHMARK).to_pylist() if row["identity"] != "n008"]
    write_faces(pa.Table.from_pylist(rows, FACE_SCHEMA), paths.BENCHMARK)
    with pytest.raises(BenchmarkError, match=r"27 of the benchmark(.|\n)*lrfr synlr"):
        evaluate.run("random")


def test_what_cannot_be_resolved_is_null_and_a_blank_cell(project: Path) -> None:
    evaluate.run("random")
    tar = read_json(paths.metrics("random"))["sets"]["surveillance"]["verification"]["tar"]
    assert tar["0.001"] is None and tar["0.3"] is not None
    with paths.curve("random", "surveillance", "roc").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert rows[0]["tar"] == "" and float(rows[-1]["tar"]) <= 1


def test_equal_embeddings_give_equal_bytes(project: Path) -> None:
    evaluate.run("random")
    first = files(project)
    evaluate.run("random")
    assert files(project) == first
    assert len(first) > 15


def test_an_imported_set_s_own_training_faces_are_not_tested_on(project: Path) -> None:
    evaluate.run("random")
    expected = read_json(paths.metrics("random"))
    rows = whole(paths.test_set("surveillance")).to_pylist()
    training = rows[0] | {"face_id": "training", "identity": "train_1", "split": "train"}
    write_faces(pa.Table.from_pylist([training, *rows], FACE_SCHEMA), paths.test_set("surveillance"))
    evaluate.run("random")
    assert read_json(paths.metrics("random")) == expected


def test_no_image_and_no_model_is_read(project: Path) -> None:
    rows = [row | {"image": b"no image"} for row in whole(paths.test_set("pairs")).to_pylist()]
    write_faces(pa.Table.from_pylist(rows, FACE_SCHEMA), paths.test_set("pairs"))
    evaluate.run("random")
    assert not Path("models").exists()


def test_a_missing_set_names_the_command_that_makes_it(project: Path) -> None:
    paths.embeddings("random", "distractors").unlink()
    with pytest.raises(EmbeddingError, match=r"distractors\.npz(.|\n)*lrfr embed random"):
        evaluate.run("random")
    assert not paths.metrics("random").exists()
    paths.test_set("mugshots").unlink()
    with pytest.raises(FaceTableError, match="mugshots"):
        evaluate.run("random")
    paths.test_set_facts("pairs").unlink()
    with pytest.raises(ResultError, match=r"pairs/test_set\.json(.|\n)*lrfr import-testset pairs"):
        evaluate.run("random")


def test_an_unknown_run_is_refused_with_the_known_ones(project: Path) -> None:
    with pytest.raises(ParameterError, match=r"unknown run 'randon'(.|\n)*did you mean 'random'"):
        evaluate.run("randon")


def test_each_condition_is_scored_where_the_protocol_asks(project: Path) -> None:
    evaluate.run("random")
    plain = read_json(paths.metrics("random"))
    write_project(conditions=True)
    evaluate.run("random")
    results = read_json(paths.metrics("random"))
    found = {name: set(of.get("conditions") or {}) for name, of in results["sets"].items()}
    assert found == {name: set(CONDITIONS.get(name, ())) for name in found}
    for test_set, of in results["sets"].items():
        for key in ("conditions", "definitions"):
            of.pop(key, None), plain["sets"][test_set].pop(key, None)
    assert results["sets"] == plain["sets"]


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_embeddings_are_compared_by_the_model_s_metric(project: Path, metric: str) -> None:
    write_project(metric=metric)
    evaluate.run("random")
    results = read_json(paths.metrics("random"))
    assert results["metric"] == metric
    told = {name: of["definitions"]["metric"] for name, of in results["sets"].items()}
    assert told.pop("templates") == "cosine of templates"  # as IJB's own evaluation, whatever the model's metric
    assert set(told.values()) == {metric}
    assert results["sets"]["benchmark"]["rejection"]["definitions"]["metric"] == metric


def test_another_metric_gives_other_figures(project: Path) -> None:
    figures = []
    for metric in ("euclidean", "cosine"):
        write_project(metric=metric)
        evaluate.run("random")
        figures.append(read_json(paths.metrics("random"))["sets"])
    for name in SETS:
        without = [{key: value for key, value in of[name].items() if key != "definitions"} for of in figures]
        assert without[0] != without[1], name


def test_faces_that_could_not_be_aligned_are_counted(project: Path) -> None:
    write_project(presentation="arcface_112")
    evaluate.run("random")
    results = read_json(paths.metrics("random"))
    assert results["presentation"] == "arcface_112"
    for name, of in results["sets"].items():
        with np.load(paths.embeddings("random", name)) as arrays:
            assert of["n_unaligned"] == arrays["unaligned"].sum() > 0


def test_what_normalises_does_not_go_with_the_euclidean_distance() -> None:
    options = options_for(Evaluate(bootstrap=1, thresholds="grid", average="unit"), "euclidean")
    assert (options.metric, options.thresholds, options.average) == ("euclidean", "exact", "raw")
    options = options_for(Evaluate(bootstrap=1, thresholds="grid", average="unit"), "cosine")
    assert (options.metric, options.thresholds, options.average) == ("cosine", "grid", "unit")


def test_a_quality_is_described_by_what_it_says_of_faces_that_nobody_recognises(project: Path) -> None:
    quality = {}
    for name in ("benchmark", "distractors"):
        path = paths.embeddings("random", name)
        with np.load(path) as stored:
            arrays = dict(stored)
        quality[name] = np.where(arrays["missing"], -np.inf, np.arange(len(arrays["missing"]))).astype(np.float32)
        np.savez(path, **arrays, quality=quality[name])
    beside = paths.unrecognizable_embeddings("random")
    beside.parent.mkdir(parents=True)
    np.savez(beside, quality=np.array([-3.0, -2.0, -5.0, -np.inf], np.float32))
    evaluate.run("random")
    told = read_json(paths.metrics("random"))["sets"]["benchmark"]["recognizability"]
    faces = read_faces(paths.BENCHMARK, ["face_id", "split", "width", "height"]).to_pylist()
    faces = [row for row in faces if row["split"] != "train"]
    known = [
        (value, row) for row, value in zip(faces, quality["benchmark"], strict=True)
        if row["split"] in ("probe", "gallery") and np.isfinite(value)
    ]  # fmt: skip
    ids = [row["face_id"] for _, row in sorted(known, key=lambda one: one[0])]
    assert told["lowest"] == ids[:12] and told["highest"] == ids[::-1][:12]
    assert told["n"] == {"lr": len(known), "unrecognizable": 3, "hr": int(np.isfinite(quality["distractors"]).sum())}
    values = np.array([value for value, _ in known])
    sides = np.array([min(row["width"], row["height"]) for _, row in known])
    ranks = [[(other < value).sum() + (other == value).sum() / 2 for value in other] for other in (values, sides)]
    assert told["spearman_size"] == pytest.approx(np.corrcoef(*ranks)[0, 1], abs=1e-6)
    curve = np.genfromtxt(paths.curve("random", "benchmark", "quality"), delimiter=",", names=True)
    assert len(curve) == 30 and curve["unrecognizable"].sum() == pytest.approx(1)
    assert curve["unrecognizable"][:10].sum() == pytest.approx(1)


def test_qualities_of_several_runs_are_compared_where_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = {"scores": "random", "qualities": {"other": ["norm"], "random": ["norm", "size"]}}
    write_project(("random", "other"))
    compare_qualities.run()
    assert read_json(paths.COMPARED_QUALITIES) == {}
    parameters(("random", "other"), compared_qualities=asked)
    compare_qualities.run()
    told = read_json(paths.COMPARED_QUALITIES)
    assert told["order"] == ["other: norm", "random: norm", "random: size", "at random"]
    evaluate.run("random")
    curve = paths.curve("random", "benchmark", "erc")
    with curve.open() as file:
        alone = [float(row["norm fixed 0.001"] or "nan") for row in csv.DictReader(file)]
    fnmr = np.array(told["qualities"]["random: norm"]["on_scores"]["fixed"]["0.001"]["fnmr"], float)
    np.testing.assert_allclose(fnmr, alone, atol=1e-6)
    paths.embeddings("other", "benchmark").unlink()
    with pytest.raises(EmbeddingError, match=r"no embeddings(.|\n)*embed other"):
        compare_qualities.run()
