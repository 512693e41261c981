"""evaluate on a tiny project: the benchmark, its SynLR version, and an imported test set of every kind."""

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lrfr import paths
from lrfr.config import Evaluate
from lrfr.errors import BenchmarkError, EmbeddingError, FaceTableError, ParameterError
from lrfr.faces import ENROLMENT_SCHEMA, FACE_SCHEMA, PAIR_SCHEMA, read_faces, write_faces, write_table
from lrfr.files import read_json
from lrfr.protocols.benchmark import Benchmark
from lrfr.stages import evaluate
from tests.face_tables import split_rows, whole, write_params, write_split
from tests.protocols import small_sets
from tests.protocols.benchmarks import embed

# By name: the source that names the protocol, the tables, and the views that the protocol asks for
SETS = {
    "surveillance": ("generated_surveillance", small_sets.surveillance(), ()),
    "mugshots": ("generated_mugshots", small_sets.mugshots(13), ()),
    "templates": ("generated_templates", small_sets.template_set(small_sets.TINY), ("side_8", "side_16")),
    "pairs": ("generated_pairs", small_sets.fold_set(True), ("mirror",)),
    "distractors": ("generated_distractors", small_sets.distractor_set(), ("width_20", "width_25")),
}
EVALUATE = {"bootstrap": 20, "metric": "cosine", "sides": [8, 16], "widths": [20]}
CONDITIONS = {
    "benchmark": ("aligned", "super_resolved_vdsr"),
    "surveillance": ("super_resolved_vdsr",),
    "templates": ("aligned",),
}


def write_embeddings(
    method: str, test_set: str, faces: pa.Table, seed: int, views: tuple[str, ...] = (), metric: str = ""
) -> None:
    faces = faces.filter(np.array(faces["split"].to_pylist(), object) != "train")
    found = embed(Benchmark(faces), 1.0, views, missing=[1], seed=seed)
    path = paths.embeddings(method, test_set)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, face_id=np.array(faces["face_id"].to_pylist()), missing=found.missing, metric=metric, **found.stored)


def write_project(methods: tuple[str, ...] = ("random",), metric: str = "", conditions: bool = False) -> None:
    """Tables and embeddings of every test set in the current folder."""
    sets = {name: {"source": source, "root": "."} for name, (source, _, _) in SETS.items()}
    asked = {"aligned": True, "super_resolution": ["vdsr"]} if conditions else {}
    write_params(evaluate=EVALUATE | asked, evaluation_sets=sets, methods={method: {} for method in methods})
    write_split()
    twins = zip(split_rows(seed=1)[0], split_rows()[0], strict=True)
    rows = [face | {"attributes": [("native_face_id", native["face_id"])]} for face, native in twins]
    # one identity (four faces) and five distractors fewer than there are native faces
    rows = [row for row in rows if row["split"] != "train" and row["identity"] != "n007"][:-5]
    write_faces(pa.Table.from_pylist(rows, FACE_SCHEMA), paths.SYNLR)
    for name, (_, imported, _) in SETS.items():
        images = pa.array([b""] * imported.faces.num_rows, pa.binary())
        write_faces(imported.faces.append_column("image", images), paths.test_set(name))
        write_table(imported.pairs, paths.test_set(name, "pairs"), PAIR_SCHEMA)
        write_table(imported.enrolment, paths.test_set(name, "enrolment"), ENROLMENT_SCHEMA)
    for seed, method in enumerate(methods):
        others = {name: more if conditions else () for name, more in CONDITIONS.items()}
        write_embeddings(method, "benchmark", read_faces(paths.BENCHMARK), seed, others["benchmark"], metric)
        write_embeddings(method, "synlr", read_faces(paths.SYNLR), seed, metric=metric)
        for name, (_, imported, views) in SETS.items():
            write_embeddings(method, name, imported.faces, seed, views + others.get(name, ()), metric)


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
        "synlr": "synlr",
        "surveillance": "survface",
        "mugshots": "scface",
        "templates": "ijb",
        "pairs": "folds",
        "distractors": "rifr",
    }
    assert (results["metric"], results["trains_on"]) == ("cosine", None)
    assert set(results["tinyface"]) == {"distractors", "no_distractors"}  # as the model card reads it
    assert results["tinyface"]["distractors"]["n_gallery"] == 30
    assert results["tinyface"]["distractors"]["n_missing_gallery"] == 1
    assert set(results["erc"]["qualities"]) == {"norm", "size", "detector"}
    assert all(found["definitions"] for found in results["sets"].values())
    curves = {path.relative_to("plots/sets/random").as_posix() for path in Path("plots/sets/random").rglob("*.csv")}
    assert curves == {
        *(f"synlr/{kind}.csv" for kind in ("cmc", "pr")),
        *(f"surveillance/{kind}.csv" for kind in ("roc", "open_set")),
        *(f"templates/{kind}.csv" for kind in ("roc", "cmc", "det", "resolution_cmc", "resolution_det", "tiny_roc")),
        *(f"distractors/{kind}.csv" for kind in ("rank1", "roc")),
        "mugshots/cmc.csv",
        "pairs/roc.csv",
    }
    with np.load(paths.evaluated("random")) as probes:
        assert len(probes["rank"]) == len(probes["average_precision"]) == results["tinyface"]["distractors"]["n_probe"]
        assert np.mean(probes["rank"] == 1) == pytest.approx(results["tinyface"]["distractors"]["rank1"], abs=1e-6)


def test_the_twin_stands_beside_the_same_faces_of_the_benchmark(project: Path) -> None:
    evaluate.run("random")
    results = read_json(paths.metrics("random"))
    synlr = results["sets"]["synlr"]
    for part, counts in {"distractors": (8, 23), "no_distractors": (8, 8)}.items():
        assert (synlr[part]["n_probe"], synlr[part]["n_gallery"]) == counts
        assert (synlr["native"][part]["n_probe"], synlr["native"][part]["n_gallery"]) == counts
    assert results["tinyface"]["distractors"]["n_gallery"] == 30
    # a benchmark that was split again has other faces than those that the SynLR set was made for
    faces = whole(paths.BENCHMARK)
    write_faces(faces.filter(np.array(faces["identity"].to_pylist(), object) != "n008"), paths.BENCHMARK)
    with pytest.raises(BenchmarkError, match=r"27 of the benchmark(.|\n)*lrfr synlr"):
        evaluate.run("random")


def test_what_cannot_be_resolved_is_null_and_a_blank_cell(project: Path) -> None:
    evaluate.run("random")
    tar = read_json(paths.metrics("random"))["sets"]["surveillance"]["verification"]["tar"]
    assert tar["0.001"] is None and tar["0.3"] is not None
    with paths.set_curve("random", "surveillance", "roc").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert rows[0]["tar"] == "" and float(rows[-1]["tar"]) <= 1


def test_equal_embeddings_give_equal_bytes(project: Path) -> None:
    evaluate.run("random")
    first = files(project)
    evaluate.run("random")
    assert files(project) == first
    assert len(first) > 15


def test_a_mounted_set_s_own_training_faces_are_not_tested_on(project: Path) -> None:
    evaluate.run("random")
    expected = read_json(paths.metrics("random"))
    faces = whole(paths.test_set("surveillance"))
    training = faces.slice(0, 1).to_pylist()[0] | {"face_id": "training", "identity": "train_1", "split": "train"}
    write_faces(pa.Table.from_pylist([training, *faces.to_pylist()], FACE_SCHEMA), paths.test_set("surveillance"))
    evaluate.run("random")
    assert read_json(paths.metrics("random")) == expected


def test_no_image_and_no_model_is_read(project: Path) -> None:
    faces = whole(paths.test_set("pairs"))
    write_faces(
        faces.set_column(2, "image", pa.array([b"no image"] * faces.num_rows, pa.binary())), paths.test_set("pairs")
    )
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


def test_an_unknown_method_is_refused_with_the_known_ones(project: Path) -> None:
    with pytest.raises(ParameterError, match="random"):
        evaluate.run("randon")


def test_each_condition_is_scored_where_the_protocol_asks(project: Path) -> None:
    evaluate.run("random")
    plain = read_json(paths.metrics("random"))
    write_project(conditions=True)
    evaluate.run("random")
    results = read_json(paths.metrics("random"))
    found = {name: set(of.get("conditions", {})) for name, of in results["sets"].items()}
    assert found == {name: set(CONDITIONS.get(name, ())) for name in found}
    assert set(results["tinyface"].pop("conditions")) == set(CONDITIONS["benchmark"])
    assert results["tinyface"] == plain["tinyface"]
    for test_set, of in results["sets"].items():
        for key in ("conditions", "definitions"):
            of.pop(key, None), plain["sets"][test_set].pop(key, None)
    assert results["sets"] == plain["sets"]


@pytest.mark.parametrize("metric", ["euclidean", "cosine", ""])
def test_a_method_s_own_metric_takes_the_place_of_the_parameters(project: Path, metric: str) -> None:
    write_project(metric=metric)
    evaluate.run("random")
    own = read_json(paths.metrics("random"))
    asked = {"metric": metric or "cosine"} | ({"average": "raw"} if metric == "euclidean" else {})
    sets = {name: {"source": source, "root": "."} for name, (source, _, _) in SETS.items()}
    write_project()
    write_params(evaluate=EVALUATE | asked, evaluation_sets=sets, methods={"random": {}})
    evaluate.run("random")
    assert read_json(paths.metrics("random")) == own
    assert own["metric"] == own["definitions"]["metric"] == (metric or "cosine")
    assert own["sets"]["pairs"]["definitions"]["metric"] == (metric or "cosine")


def test_what_normalises_does_not_go_with_a_method_s_euclidean_distance() -> None:
    options = evaluate.compared_by(
        Evaluate(bootstrap=1, metric="cosine", thresholds="grid", average="unit"), "euclidean"
    )
    assert (options.metric, options.thresholds, options.average) == ("euclidean", "exact", "raw")
