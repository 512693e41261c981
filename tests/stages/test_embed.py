"""embed on a tiny project: models of faces as they were cropped, and of aligned ones."""

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from lrfr import faces, paths
from lrfr.core.alignment import TEMPLATE, mirrored
from lrfr.core.resampling import view
from lrfr.errors import EmbeddingError, FaceTableError, ImageError, ParameterError, ResultError, TrainingError
from lrfr.nn.alignment import align
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.framing import centred
from lrfr.nn.landmarks.model_file import FILE as LANDMARK_FILE
from lrfr.nn.landmarks.model_file import write_landmark_model
from lrfr.nn.landmarks.network import CNN6
from lrfr.nn.model_file import FILE, Facts, Model, TrainedStep, sha256_of, write_model
from lrfr.protocols.embeddings import read_embeddings
from lrfr.stages import code, embed, finetune, locate_landmarks, pretrain
from tests.face_tables import face, whole, write_faces, write_params, write_split, write_test_set
from tests.nn.small_training import training

ARCHITECTURE = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=8, input_size=16, dropout=0.0)
EVALUATE = {"bootstrap": 10, "sides": [8], "widths": [20, 25]}
SETS = {  # by name: the protocol, and the views that it asks for
    "templates": ("ijb", ["embedding_side_8"]),
    "pairs": ("folds", ["embedding_mirror"]),
    "distractors": ("rifr", ["embedding_width_20", "embedding_width_25"]),
}
RUNS = {"baseline": {"method": "baseline", "backbone": "main"}}
TRAINED = [TrainedStep(step="training", faces={"native": 20}, passes={"native": 0.8}, updates=2)]
# What the landmark network finds in every face, as shares of its sides; and where nobody's face can be
FOUND = TEMPLATE / 112
NOWHERE = np.tile([[0.5, 0.5]], (5, 1))


def parameters(sets=SETS, **changed):
    evaluation_sets = {name: {"source": "test", "root": "."} for name in sets}
    write_params(evaluation_sets=evaluation_sets, evaluate=EVALUATE | changed, methods=RUNS, threads=1)


def embedder():
    torch.manual_seed(0)
    return Embedder(ARCHITECTURE).eval()


def landmark_network(found):
    """A network that finds the same points (5, 2), shares of the sides, in every face."""
    network = CNN6(0.05, torch.tensor(found.ravel() * 64, dtype=torch.float32))
    torch.nn.init.zeros_(network.output.weight)
    return network


def by_hand(image):
    """The embedding of an image (H, W, 3), uint8, that is presented as the model wants it."""
    with torch.inference_mode():
        return embedder()(torch.from_numpy(image.transpose(2, 0, 1).copy())[None].float() / 255).numpy()[0]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parameters()
    write_split()
    rng = np.random.default_rng(2)
    write_faces([face(rng, f"t{number}", 20, split="probe") for number in range(3)], paths.SYNLR)
    for name, (protocol, _) in SETS.items():
        rows = [face(rng, f"{name} {number}", 30 + number) for number in range(130)]
        rows[1] |= {"attributes": [("missing", "unreadable")], "image": b"not an image"}
        write_test_set(name, rows, protocol)
    write_model(paths.model("baseline"), Model(embedder(), Facts(trained=TRAINED, metric="euclidean")))


def stored(test_set, run="baseline"):
    with np.load(paths.embeddings(run, test_set)) as arrays:
        return dict(arrays)


def test_every_test_set_is_embedded_with_the_views_of_its_protocol():
    embed.run("baseline")
    for name in ("benchmark", "synlr", *SETS):
        arrays = stored(name)
        asked = SETS[name][1] if name in SETS else []
        rivals = ["ui_center"] if name == "benchmark" else []
        assert set(arrays) == {"face_id", "missing", "facts", "embedding", *rivals, *asked}
        assert all(arrays[of].dtype == np.float32 and arrays[of].shape[1] == 8 for of in ("embedding", *asked))
    assert stored("synlr")["face_id"].tolist() == [row["face_id"] for row in whole(paths.SYNLR).to_pylist()]


def test_the_files_carry_what_the_model_says_of_itself():
    embed.run("baseline")
    told = [json.loads(str(stored(name)["facts"])) for name in ("benchmark", "synlr", *SETS)]
    assert told == [told[0]] * 5
    assert told[0] == {
        "presentation": "as_cropped",
        "metric": "euclidean",
        "trained": [TRAINED[0].model_dump()],
        "quality": None,
        "model": sha256_of(Path(paths.model("baseline"), FILE)),
    }


def test_of_the_benchmark_only_what_is_tested_on_is_embedded():
    rng, splits = np.random.default_rng(3), ["train", "probe", "train", "gallery", "distractor"]
    rows = [face(rng, f"b{number}", 20, split=splits[number % 5]) for number in range(300)]  # three batches
    write_faces(rows, paths.BENCHMARK)
    embed.run("baseline")
    tested = [row for row in rows if row["split"] != "train"]
    assert stored("benchmark")["face_id"].tolist() == [row["face_id"] for row in tested]
    expected = [by_hand(faces.decode(row["image"])) for row in tested[::50]]
    assert np.allclose(stored("benchmark")["embedding"][::50], expected, atol=1e-4)


def test_a_missing_face_is_a_row_of_zeros_and_nobody_decodes_it():
    embed.run("baseline")
    arrays = stored("distractors")
    assert np.flatnonzero(arrays["missing"]).tolist() == [1]
    for name in ("embedding", "embedding_width_20"):
        assert np.flatnonzero((arrays[name] == 0).all(axis=1)).tolist() == [1]


@pytest.mark.parametrize(
    ("test_set", "name"),
    [("templates", "side_8"), ("pairs", "mirror"), ("distractors", "width_20"), ("distractors", None)],
)
def test_an_embedding_is_that_of_the_view(test_set, name):
    embed.run("baseline")
    image = faces.decode(whole(paths.test_set(test_set)).to_pylist()[129]["image"])  # of the second batch
    image = image if name is None else view(image, name)
    found = stored(test_set)["embedding" if name is None else f"embedding_{name}"][129]
    assert np.allclose(found, by_hand(image), atol=1e-4)


def test_equal_faces_give_equal_bytes():
    embed.run("baseline")
    path = paths.embeddings("baseline", "distractors")
    first = path.read_bytes()
    embed.run("baseline")
    assert path.read_bytes() == first
    with zipfile.ZipFile(path) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_an_unknown_run_lists_the_known_ones():
    with pytest.raises(ParameterError, match=r"unknown run 'base'(.|\n)*did you mean 'baseline'"):
        embed.run("base")


def test_a_set_that_is_not_imported_and_a_face_that_is_broken_are_named():
    rows = whole(paths.test_set("pairs")).to_pylist()
    rows[0] |= {"image": b"not an image"}
    write_faces(rows, paths.test_set("pairs"))
    with pytest.raises(ImageError, match=rows[0]["face_id"]):
        embed.run("baseline")
    assert not paths.embeddings("baseline", "pairs").exists()
    paths.test_set("templates").unlink()
    with pytest.raises(FaceTableError, match=r"data/test_sets/templates/faces\.parquet"):
        embed.run("baseline")
    paths.test_set_facts("templates").unlink()
    with pytest.raises(ResultError, match=r"templates/test_set\.json(.|\n)*lrfr import-testset templates"):
        embed.run("baseline")


def written_conditions(change=lambda rows: rows):
    """The tables of the sets that are tested once more after super-resolution: other faces with the same ids."""
    rng = np.random.default_rng(7)
    parameters(("surveillance", "templates"), super_resolution=["vdsr"])
    rows = [face(rng, f"s{number}", 20) for number in range(4)]
    rows[1] |= {"attributes": [("missing", "unreadable")], "image": b"not an image"}
    write_test_set("surveillance", rows, "survface")
    for test_set, table in (("benchmark", paths.BENCHMARK), ("surveillance", paths.test_set("surveillance"))):
        tested = [row for row in whole(table).to_pylist() if row["split"] != "train"]
        kept = ("face_id", "split")
        others = [
            row
            if dict(row["attributes"]).get("missing")
            else face(rng, "another", 24, attributes=[("super_resolved", "no")] if number == 2 else [])
            | {name: row[name] for name in kept}
            for number, row in enumerate(tested)
        ]
        write_faces(change(others), paths.super_resolved("vdsr", test_set))


def test_a_condition_is_embedded_out_of_its_own_table():
    written_conditions()
    embed.run("baseline")
    for test_set in ("benchmark", "surveillance"):
        arrays = stored(test_set)
        assert "embedding_super_resolved_vdsr" in arrays
        rows = whole(paths.super_resolved("vdsr", test_set)).to_pylist()
        assert arrays["face_id"].tolist() == [row["face_id"] for row in rows]
        expected = by_hand(faces.decode(rows[-1]["image"]))
        assert np.allclose(arrays["embedding_super_resolved_vdsr"][-1], expected, atol=1e-4)
        assert not np.allclose(arrays["embedding"][-1], expected, atol=1e-3)
        assert np.flatnonzero(arrays["unchanged_super_resolved_vdsr"]).tolist() == [2]
    assert not stored("surveillance")["embedding_super_resolved_vdsr"][1].any()  # the missing face
    for test_set in ("synlr", "templates"):
        assert not [name for name in stored(test_set) if "super_resolved" in name]


@pytest.mark.parametrize("change", [lambda rows: rows[::-1], lambda rows: rows[:-1]])
def test_a_condition_of_other_faces_is_refused(change):
    written_conditions(change)
    with pytest.raises(EmbeddingError, match=r"super_resolved/vdsr/benchmark\.parquet"):
        embed.run("baseline")
    assert not paths.embeddings("baseline", "benchmark").exists()


def test_a_condition_without_its_table_is_named():
    written_conditions()
    paths.super_resolved("vdsr", "surveillance").unlink()
    with pytest.raises(FaceTableError, match=r"data/super_resolved/vdsr/surveillance\.parquet"):
        embed.run("baseline")


def with_aligned_model(found):
    """A model that takes aligned faces, with its landmark network; rows without landmarks in one imported set."""
    parameters(("pairs",))
    facts = Facts(presentation="arcface_112", trained=TRAINED)
    write_model(paths.model("baseline"), Model(embedder(), facts, landmarks=landmark_network(found)))
    rows = whole(paths.test_set("pairs")).to_pylist()[:12]
    rows[3] |= {"landmarks": None}
    write_test_set("pairs", rows, "folds")
    return rows


def test_an_aligned_model_is_tested_on_aligned_faces_without_being_asked():
    rows = with_aligned_model(FOUND)
    embed.run("baseline")
    benchmark = [row for row in whole(paths.BENCHMARK).to_pylist() if row["split"] != "train"]
    for name, tested in (("benchmark", benchmark), ("pairs", rows)):
        arrays = stored(name)
        assert json.loads(str(arrays["facts"]))["presentation"] == "arcface_112"
        assert arrays["unaligned"].dtype == bool and not arrays["unaligned"].any()
        for number in (0, 3):
            row, image = tested[number], faces.decode(tested[number]["image"])
            size = np.array([row["width"], row["height"]])
            # Landmarks of an imported set are used; those of the benchmark's detector are not
            is_known = name == "pairs" and row["landmarks"] is not None
            points = np.array(row["landmarks"]).reshape(5, 2) if is_known else FOUND * size
            assert np.allclose(arrays["embedding"][number], by_hand(align(image, points)), atol=1e-4)
            assert not np.allclose(arrays["embedding"][number], by_hand(image), atol=1e-3)
    image = view(faces.decode(rows[0]["image"]), "mirror")  # whose landmarks are as well known
    points = np.array(rows[0]["landmarks"]).reshape(1, 5, 2)
    expected = by_hand(align(image, mirrored(points, np.array([[image.shape[1]]]))[0]))
    assert np.allclose(stored("pairs")["embedding_mirror"][0], expected, atol=1e-4)


def test_faces_whose_landmarks_are_not_found_are_counted_and_centred():
    rows = with_aligned_model(NOWHERE)
    embed.run("baseline")
    assert stored("benchmark")["unaligned"].all()
    assert np.flatnonzero(stored("pairs")["unaligned"]).tolist() == [3]
    assert np.flatnonzero(stored("pairs")["missing"]).tolist() == [1]
    expected = by_hand(centred(faces.decode(rows[3]["image"]), 112))
    assert np.allclose(stored("pairs")["embedding"][3], expected, atol=1e-4)


def test_a_model_s_own_landmark_network_is_used_and_must_be_there():
    with_aligned_model(FOUND)
    write_landmark_model(paths.LANDMARKS, landmark_network(NOWHERE))  # the project's is another one by now
    embed.run("baseline")
    assert not stored("benchmark")["unaligned"].any()
    Path(paths.model("baseline"), LANDMARK_FILE).unlink()
    with pytest.raises(TrainingError, match=r"models/runs/baseline/landmarks\.safetensors"):
        embed.run("baseline")


def test_presentation_goes_from_the_parameters_to_the_embeddings():
    """pretrain, finetune and embed; nobody says to embed how faces are presented."""
    section = training(epochs=1).model_dump(exclude_unset=True)
    head = {"name": "ArcFace", "scale": 16.0, "margin": 0.2}
    runs = {
        "random": {"method": "random"},
        "generic": {"method": "pretrained"},
        "baseline": {"method": "baseline", "head": head, "training": section},
        "cropped": {"method": "pretrained", "presentation": "as_cropped"},
    }
    backbone = {
        "presentation": "arcface_112",
        "architecture": ARCHITECTURE.model_dump(exclude_unset=True),
        "head": head,
        "training": section,
    }
    write_params(
        threads=1,
        backbones={"main": backbone},
        methods={name: {"backbone": "main", **values} for name, values in runs.items()},
        evaluation_sets={"pairs": {"source": "test", "root": "."}},
        evaluate=EVALUATE,
    )
    write_test_set("pairs", whole(paths.test_set("pairs")).to_pylist()[:12], "folds")
    write_landmark_model(paths.LANDMARKS, landmark_network(FOUND))
    locate_landmarks.run()
    code.run()
    pretrain.run("main")
    for name in runs:
        finetune.run(name)
    shutil.rmtree(paths.LANDMARKS)
    for name in runs:
        embed.run(name)
    told = {name: json.loads(str(stored("benchmark", name)["facts"])) for name in runs}
    assert {name: facts["presentation"] for name, facts in told.items()} == {
        "random": "arcface_112", "generic": "arcface_112", "baseline": "arcface_112", "cropped": "as_cropped",
    }  # fmt: skip
    assert {facts["metric"] for facts in told.values()} == {"cosine"}
    steps = {name: [step["step"] for step in facts["trained"]] for name, facts in told.items()}
    first = ["pretrain main"]
    assert steps == {"random": [], "generic": first, "baseline": [*first, "training"], "cropped": first}
    assert all(facts["model"] == sha256_of(Path(paths.model(name), FILE)) for name, facts in told.items())
    assert {name: "unaligned" in stored("benchmark", name) for name in runs} == {
        "random": True, "generic": True, "baseline": True, "cropped": False,
    }  # fmt: skip
    aligned, cropped = (stored("benchmark", name)["embedding"] for name in ("generic", "cropped"))
    assert not np.allclose(aligned, cropped, atol=1e-3)  # the same weights, other faces


def test_a_quality_goes_with_the_embeddings_to_the_protocols():
    torch.manual_seed(0)
    head = {"name": "recognizability", "dropout": 0.4}
    judge = Embedder(Architecture(**(ARCHITECTURE.model_dump() | {"quality": head}))).eval()
    write_model(paths.model("baseline"), Model(judge, Facts(quality="recognizability")))
    embed.run("baseline")
    for name in ("benchmark", "templates"):
        arrays = stored(name)
        ids = arrays["face_id"].tolist()
        found = read_embeddings(paths.embeddings("baseline", name), ids[::-1], "lrfr embed")
        assert found.facts["quality"] == "recognizability"
        assert np.array_equal(found.quality, arrays["quality"][::-1])
        assert np.array_equal(np.isneginf(arrays["quality"]), arrays["missing"])
    rows = {row["face_id"]: row for row in whole(paths.BENCHMARK).to_pylist()}
    arrays = stored("benchmark")
    image = faces.decode(rows[arrays["face_id"][0]]["image"])
    with torch.inference_mode():
        expected = judge.assess(torch.from_numpy(image.transpose(2, 0, 1).copy())[None].float() / 255)[1].item()
    assert arrays["quality"][0] == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_what_rival_qualities_need_is_beside_the_benchmark_s_embeddings():
    torch.manual_seed(0)
    drops = Embedder(Architecture(**(ARCHITECTURE.model_dump() | {"dropout": 0.5}))).eval()
    write_model(paths.model("baseline"), Model(drops))
    parameters(serfiq_passes=4)
    embed.run("baseline")
    arrays = stored("benchmark")
    with np.load(paths.unrecognizable_embeddings("baseline")) as beside:
        nobody = beside["embedding"]
    assert len(nobody) == 8
    mean = sum(row / np.linalg.norm(row) for row in nobody) / 8
    assert np.allclose(arrays["ui_center"], mean, atol=1e-5)
    robust = arrays["quality_serfiq"]
    assert robust.shape == arrays["missing"].shape and ((robust > 0) & (robust < 1)).all()
    embed.run("baseline")
    assert np.array_equal(stored("benchmark")["quality_serfiq"], robust)
    assert "ui_center" not in stored("templates")


def test_without_dropout_or_unrecognizable_faces_there_is_nothing_to_need():
    write_faces([], paths.UNRECOGNIZABLE)
    parameters(serfiq_passes=4)
    embed.run("baseline")
    assert not {"ui_center", "quality_serfiq"} & set(stored("benchmark"))
