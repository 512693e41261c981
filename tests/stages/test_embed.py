import zipfile

import numpy as np
import pyarrow as pa
import pytest
import torch

from lrfr import faces, paths
from lrfr.core.resampling import view
from lrfr.errors import EmbeddingError, FaceTableError, ImageError, ParameterError
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.model_file import write_model
from lrfr.stages import embed
from tests.face_tables import face, whole, write_params, write_split

ARCHITECTURE = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=8, input_size=16, dropout=0.0)
EVALUATE = {"bootstrap": 10, "metric": "cosine", "sides": [8], "widths": [20, 25]}
SETS = {
    "templates": ("generated_templates", ["embedding_side_8"]),
    "pairs": ("generated_pairs", ["embedding_mirror"]),
    "distractors": ("generated_distractors", ["embedding_width_20", "embedding_width_25"]),
}


def write(rows, path):
    faces.write_faces(pa.Table.from_pylist(rows, faces.FACE_SCHEMA), path)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sets = {name: {"source": source, "root": ".", "settings": {}} for name, (source, _) in SETS.items()}
    write_params(evaluation_sets=sets, evaluate=EVALUATE, methods={"baseline": {}}, threads=1)
    write_split()
    rng = np.random.default_rng(2)
    write([face(rng, f"t{number}", 20, split="probe") for number in range(3)], paths.SYNLR)
    for name in SETS:
        rows = [face(rng, f"{name} {number}", 30 + number) for number in range(130)]
        rows[1] |= {"attributes": [("missing", "unreadable")], "image": b"not an image"}
        write(rows, paths.test_set(name))
    torch.manual_seed(0)
    write_model(paths.model("baseline"), Embedder(ARCHITECTURE))


def stored(test_set):
    with np.load(paths.embeddings("baseline", test_set)) as arrays:
        return dict(arrays)


def test_every_test_set_is_embedded_with_the_renditions_of_its_protocol():
    embed.run("baseline")
    for name in ("benchmark", "synlr", *SETS):
        arrays = stored(name)
        asked = SETS[name][1] if name in SETS else []
        assert set(arrays) == {"face_id", "missing", "trains_on", "metric", "embedding", *asked}
        assert (arrays["trains_on"], arrays["metric"]) == ("native", "")
        assert all(arrays[of].dtype == np.float32 and arrays[of].shape[1] == 8 for of in ("embedding", *asked))
    assert stored("synlr")["face_id"].tolist() == whole(paths.SYNLR)["face_id"].to_pylist()


def test_of_the_benchmark_only_what_is_tested_on_is_embedded():
    rng, splits = np.random.default_rng(3), ["train", "probe", "train", "gallery", "distractor"]
    rows = [face(rng, f"b{number}", 20, split=splits[number % 5]) for number in range(300)]  # three batches
    write(rows, paths.BENCHMARK)
    embed.run("baseline")
    assert stored("benchmark")["face_id"].tolist() == [row["face_id"] for row in rows if row["split"] != "train"]


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
    row = whole(paths.test_set(test_set)).to_pylist()[129]  # of the second batch
    image = faces.decode(row["image"])
    image = image if name is None else view(image, name)
    torch.manual_seed(0)
    embedder = Embedder(ARCHITECTURE).eval()
    with torch.inference_mode():
        expected = embedder(torch.from_numpy(image.transpose(2, 0, 1).copy())[None].float() / 255)
    found = stored(test_set)["embedding" if name is None else f"embedding_{name}"][129]
    assert np.allclose(found, expected.numpy()[0], atol=1e-4)


def test_equal_faces_give_equal_bytes():
    embed.run("baseline")
    path = paths.embeddings("baseline", "distractors")
    first = path.read_bytes()
    embed.run("baseline")
    assert path.read_bytes() == first
    with zipfile.ZipFile(path) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_an_unknown_method_lists_the_known_ones():
    with pytest.raises(ParameterError, match=r"unknown method 'base'(.|\n)*did you mean 'baseline'"):
        embed.run("base")


def test_a_set_that_is_not_mounted_and_a_face_that_is_broken_are_named():
    rows = whole(paths.test_set("pairs")).to_pylist()
    rows[0] |= {"image": b"not an image"}
    write(rows, paths.test_set("pairs"))
    with pytest.raises(ImageError, match=rows[0]["face_id"]):
        embed.run("baseline")
    assert not paths.embeddings("baseline", "pairs").exists()
    paths.test_set("templates").unlink()
    with pytest.raises(FaceTableError, match=r"data/test_sets/templates/faces\.parquet"):
        embed.run("baseline")


def written_conditions(**changed):
    """Each condition's tables of the test sets that are tested under it, out of other faces with the same ids."""
    rng = np.random.default_rng(7)
    write_params(
        evaluation_sets={"templates": {"source": "generated_templates", "root": "."}},
        evaluate=EVALUATE | {"aligned": True, "super_resolution": ["vdsr"]},
        methods={"baseline": {}},
        threads=1,
    )
    for condition, test_set, path in (
        ("aligned", "benchmark", paths.BENCHMARK),
        ("super_resolved_vdsr", "benchmark", paths.BENCHMARK),
        ("aligned", "templates", paths.test_set("templates")),
    ):
        # All of the faces, or those that are tested on
        rows = [
            row if dict(row["attributes"]).get("missing") else face(rng, "another", 24) | {"face_id": row["face_id"]}
            for row in whole(path).to_pylist()
            if condition == "aligned" or row["split"] != "train"
        ]
        splits = {row["face_id"]: row["split"] for row in whole(path).to_pylist()}
        rows = [row | {"split": splits[row["face_id"]]} for row in rows]
        write(changed.get(condition, lambda rows: rows)(rows), paths.condition(condition, test_set))


def test_a_condition_is_embedded_out_of_its_own_table():
    written_conditions()
    embed.run("baseline")
    embedder = Embedder(ARCHITECTURE)
    torch.manual_seed(0)
    for test_set, conditions in {
        "benchmark": ["aligned", "super_resolved_vdsr"],
        "templates": ["aligned"],
        "synlr": [],
    }.items():
        arrays = stored(test_set)
        assert {name for name in arrays if name.startswith("embedding_") and "side" not in name} == {
            f"embedding_{condition}" for condition in conditions
        }
        for condition in conditions:
            table = whole(paths.condition(condition, test_set)).to_pylist()
            tested = [row for row in table if row["split"] != "train"]
            assert arrays["face_id"].tolist() == [row["face_id"] for row in tested]
            torch.manual_seed(0)
            embedder = Embedder(ARCHITECTURE).eval()
            image = faces.decode(tested[-1]["image"])
            with torch.inference_mode():
                expected = embedder(torch.from_numpy(image.transpose(2, 0, 1).copy())[None].float() / 255)
            assert np.allclose(arrays[f"embedding_{condition}"][-1], expected.numpy()[0], atol=1e-4)
    assert (stored("templates")["embedding_aligned"][1] == 0).all()  # the missing face


@pytest.mark.parametrize("change", [lambda rows: rows[::-1], lambda rows: rows[:-1]])
def test_a_condition_of_other_faces_is_refused_before_anything_is_embedded(change):
    written_conditions(super_resolved_vdsr=change)
    with pytest.raises(EmbeddingError, match=r"super_resolved/vdsr/benchmark\.parquet"):
        embed.run("baseline")
    assert not paths.embeddings("baseline", "benchmark").exists()


def test_a_condition_without_its_table_is_named():
    written_conditions()
    paths.condition("aligned", "templates").unlink()
    with pytest.raises(FaceTableError, match=r"data/aligned/templates\.parquet"):
        embed.run("baseline")


def test_the_metric_of_a_method_s_paper_is_stored(monkeypatch):
    monkeypatch.setattr("lrfr.stages.embed.metric", lambda module: "euclidean")
    embed.run("baseline")
    assert stored("synlr")["metric"] == "euclidean"
