import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from typer.testing import CliRunner

from lrfr import faces
from lrfr.cli import app
from lrfr.core.image_statistics import STATISTICS
from lrfr.errors import BenchmarkError, EmbeddingError, FaceTableError, TrainingError
from lrfr.files import read_json
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.model_file import Facts, Model, write_model
from lrfr.quality.arrivals import compare_faces
from tests.face_tables import face, write_faces

COUNT = 120


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(seed, change=lambda image: image, count=COUNT):
    rng = np.random.default_rng(seed)
    made = [face(rng, f"{seed} {n}", int(rng.integers(12, 30))) for n in range(count)]
    return [row | {"image": faces.encode_png(change(faces.decode(row["image"])))} for row in made]


@pytest.fixture
def tables(folder):
    """A reference, faces like it, and darker ones."""
    dark = rows(3, lambda image: image // 2)
    for name, made in {"reference": rows(1), "same": rows(2), "dark": dark}.items():
        write_faces(made, folder / f"{name}.parquet")
    return folder


def model(folder, quality=None, dimension=8):
    chosen = {"quality": {"name": quality}} if quality else {}
    architecture = Architecture(
        backbone="lrfr_ir18", width=0.05, embedding_dim=dimension, input_size=16, dropout=0.0, **chosen
    )
    torch.manual_seed(0)
    write_model(folder, Model(Embedder(architecture), Facts()))
    return folder


def compare(folder, current="same", reference="reference", **named):
    places = folder / f"{reference}.parquet", folder / f"{current}.parquet"
    return compare_faces(*places, **{"sample": 1000, "seed": 0} | named)


def stored(folder, width=8, lacking=()):
    """What a release keeps of a table."""
    rng = np.random.default_rng(0)
    columns = {name: rng.normal(size=30) for name in (*STATISTICS, "score")}
    columns["embedding"] = pa.array(rng.normal(size=(30, width)).tolist(), pa.list_(pa.float32(), width))
    kept = {name: values for name, values in columns.items() if name not in lacking}
    pq.write_table(pa.table(kept), folder / "stored.parquet")


def test_alike_faces_do_not_drift(tables):
    found = compare(tables)
    assert not found["drifted"]
    assert set(found["columns"]) == {*STATISTICS, "score"}
    assert found["tests"] == len(STATISTICS) + 1
    assert found["faces"] == {"reference": COUNT, "current": COUNT}
    assert found["embeddings"] is None and found["below_quality"] is None


def test_darker_faces_drift_by_their_exposure_and_not_by_their_size(tables):
    found = compare(tables, "dark")
    assert found["drifted"] and found["columns"]["exposure"]["drifted"]
    assert found["columns"]["exposure"]["current_mean"] < 0.6 * found["columns"]["exposure"]["reference_mean"]
    assert not found["columns"]["height"]["drifted"]


def test_a_model_adds_its_embeddings_and_its_quality(tables):
    told = compare(tables, "dark", model=model(tables / "m", "classifiability"))
    assert told["tests"] == len(STATISTICS) + 3
    assert set(told["embeddings"]) >= {"frechet", "mmd", "auc", "mmd_interval", "p_value", "drifted", "faces"}
    assert told["embeddings"]["drifted"] and told["embeddings"]["auc"] > 0.7
    below = told["below_quality"]
    assert 0 < below["reference"] <= 0.06 and 0 <= below["current"] <= 1 and 0 < below["p_value"] <= 1
    without = compare(tables, model=model(tables / "n"))
    assert without["below_quality"] is None and not without["embeddings"]["drifted"]


def test_neither_the_order_of_rows_nor_another_turn_changes_a_bit(tables):
    chosen = model(tables / "m", "classifiability")
    first = compare(tables, model=chosen, sample=60)
    made = rows(2)
    write_faces([made[n] for n in np.random.default_rng(1).permutation(len(made))], tables / "same.parquet")
    assert compare(tables, model=chosen, sample=60) == first
    assert compare(tables, model=chosen, sample=60, seed=1) != first


def test_a_release_is_a_reference_without_pictures(tables):
    stored(tables)
    found = compare(tables, reference="stored", model=model(tables / "m"))
    assert found["drifted"] and found["faces"] == {"reference": 30, "current": COUNT}
    assert found["embeddings"]["faces"] == {"reference": 30, "current": COUNT}


def test_bad_input_is_named(tables):
    write_faces(rows(1, count=0), tables / "empty.parquet")
    with pytest.raises(BenchmarkError, match="0 faces are too few"):
        compare(tables, "empty")
    with pytest.raises(FaceTableError, match="a table is missing"):
        compare(tables, "nowhere")
    stored(tables, lacking=("noise", "aspect"))
    with pytest.raises(FaceTableError, match="columns are missing: aspect, noise"):
        compare(tables, reference="stored")
    stored(tables, width=4)
    with pytest.raises(EmbeddingError, match="have 4 numbers, and the model's have 8"):
        compare(tables, reference="stored", model=model(tables / "m"))
    with pytest.raises(FaceTableError, match="columns are missing: quality"):
        compare(tables, reference="stored", model=model(tables / "q", "classifiability"))
    with pytest.raises(TrainingError):
        compare(tables, model=tables / "no model")
    (tables / "odd.parquet").write_bytes(b"no table")
    with pytest.raises(FaceTableError, match="not a readable face table"):
        compare(tables, reference="odd")


def lrfr(*arguments):
    return CliRunner().invoke(app, ["drift", *map(str, arguments)])


def test_the_command_says_what_differs_and_ends_with_3_where_it_does(tables):
    both = ["--reference", tables / "reference.parquet", "--current"]
    same = lrfr(*both, tables / "same.parquet", "--json", tables / "out.json", "--model", model(tables / "m"))
    assert same.exit_code == 0 and "no drift: 120 and 120 faces" in same.output
    assert "predicts no quality" in same.output
    assert read_json(tables / "out.json")["drifted"] is False
    dark = lrfr(*both, tables / "dark.parquet")
    assert dark.exit_code == 3 and "DRIFTED" in dark.output
    alone = lrfr("--reference", tables / "reference.parquet")
    assert alone.exit_code == 1 and "--reference and --current together" in alone.output
