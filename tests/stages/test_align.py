import numpy as np
import pyarrow as pa
import pytest
import torch

from lrfr import paths, test_sets
from lrfr.core.alignment import SIDE, TEMPLATE
from lrfr.errors import FaceTableError, ImageError, TrainingError
from lrfr.faces import FACE_SCHEMA, decode, encode_png, write_faces
from lrfr.nn.alignment import align
from lrfr.nn.landmarks import CNN6, predict, read_landmark_model, write_landmark_model
from lrfr.stages import align as stage
from tests.face_tables import face, whole, write_params, write_split

AS_THEY_ARE = {"face_id", "source", "identity", "photo_id", "box", "score", "split", "attributes"}
MISSING, UNKNOWN, DEGENERATE = 1, 2, 3


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    choose(aligned=True)
    write_split()
    rng = np.random.default_rng(2)
    rows = [face(rng, f"m{number}", 30 + number, identity="ann") for number in range(5)]
    rows[MISSING] |= {"attributes": [("missing", "unreadable")], "image": b"no image", "width": 0, "height": 0}
    rows[UNKNOWN] |= {"landmarks": None}
    rows[DEGENERATE] |= {"landmarks": [4.0] * 10, "attributes": None}
    write(rows)
    torch.manual_seed(0)
    start = torch.tensor([22.0, 29, 42, 29, 32, 41, 24, 52, 40, 52])
    write_landmark_model(paths.LANDMARKS, CNN6(0.0625, start))


def choose(aligned):
    made = {"people": "generated_templates", "others": "generated_pairs"}  # the second's protocol never asks
    sets = {name: {"source": source, "root": ".", "settings": {}} for name, source in made.items()}
    write_params(threads=1, evaluation_sets=sets, evaluate={"bootstrap": 10, "metric": "cosine", "aligned": aligned})


def write(rows):
    write_faces(pa.Table.from_pylist(rows, FACE_SCHEMA), paths.test_set("people"))


def read(path):
    return whole(path).to_pylist()


def test_native_faces_are_aligned_by_the_landmarks_that_the_network_finds():
    stage.run()
    before = [row for row in read(paths.BENCHMARK) if row["split"] != "train"]
    after = read(paths.aligned("benchmark"))
    images = [decode(row["image"]) for row in before]
    for row, aligned, image, points in zip(
        before, after, images, predict(read_landmark_model(paths.LANDMARKS), images), strict=True
    ):
        assert {name: row[name] for name in AS_THEY_ARE} == {name: aligned[name] for name in AS_THEY_ARE}
        assert np.array_equal(decode(aligned["image"]), align(image, points))
        assert (aligned["width"], aligned["height"]) == (SIDE, SIDE)
        assert np.allclose(np.reshape(aligned["landmarks"], (5, 2)), TEMPLATE, atol=1e-4)


def test_the_benchmarks_own_landmarks_change_nothing():
    stage.run()
    first = [row["image"] for row in read(paths.aligned("benchmark"))]
    write_split(lambda benchmark, _: [row.update(landmarks=None) for row in benchmark])
    stage.run()
    assert [row["image"] for row in read(paths.aligned("benchmark"))] == first


def test_a_mounted_set_is_aligned_by_its_own_landmarks_where_it_has_them(capsys):
    stage.run()
    before, after = read(paths.test_set("people")), read(paths.aligned("people"))
    assert [row["face_id"] for row in after] == [row["face_id"] for row in before]
    assert after[MISSING] == before[MISSING]
    assert after[DEGENERATE] == before[DEGENERATE] | {"attributes": [("aligned", "no")]}
    for row in (0, 4):
        expected = align(decode(before[row]["image"]), np.reshape(before[row]["landmarks"], (5, 2)))
        assert np.array_equal(decode(after[row]["image"]), expected)
    image = decode(before[UNKNOWN]["image"])
    (points,) = predict(read_landmark_model(paths.LANDMARKS), [image])
    assert np.array_equal(decode(after[UNKNOWN]["image"]), align(image, points))
    assert "people: 1 of 5 faces" in capsys.readouterr().out


def test_equal_faces_give_equal_bytes_and_batches_change_nothing(monkeypatch):
    stage.run()
    first, rows = paths.aligned("people").read_bytes(), read(paths.aligned("people"))
    stage.run()
    assert paths.aligned("people").read_bytes() == first
    monkeypatch.setattr(test_sets, "ROWS", 2)
    stage.run()
    assert read(paths.aligned("people")) == rows


def test_a_set_of_missing_faces_alone_stays():
    rows = [row | {"attributes": [("missing", "no_face")]} for row in read(paths.test_set("people"))]
    write(rows)
    stage.run()
    assert read(paths.aligned("people")) == read(paths.test_set("people"))


def test_a_loose_crop_is_shrunk_to_the_aligned_face():
    rng = np.random.default_rng(0)
    picture = np.full((600, 700, 3), 90, np.uint8)
    picture[100:548, 200:648] = rng.integers(0, 255, (448, 448, 3))
    points = (TEMPLATE * 4 + np.array([200, 100])).ravel().tolist()
    write([face(rng, "loose", 20) | {"image": encode_png(picture), "landmarks": points}])
    stage.run()
    aligned = decode(read(paths.aligned("people"))[0]["image"])
    expected = picture[100:548, 200:648].reshape(112, 4, 112, 4, 3).mean(axis=(1, 3))
    assert aligned.shape == (112, 112, 3)
    assert np.corrcoef(aligned[8:-8, 8:-8].ravel(), expected[8:-8, 8:-8].ravel())[0, 1] > 0.8


def test_only_sets_that_are_tested_so_are_aligned(capsys):
    stage.run()
    assert sorted(path.name for path in paths.aligned("people").parent.iterdir()) == [
        "benchmark.parquet",
        "people.parquet",
    ]
    for test_set in ("benchmark", "people"):
        paths.aligned(test_set).unlink()
    choose(aligned=False)
    stage.run()
    assert "no test set asks" in capsys.readouterr().out
    assert not list(paths.aligned("people").parent.iterdir())


def test_mistakes_are_told():
    broken = read(paths.test_set("people"))
    broken[0] |= {"image": b"no image"}
    write(broken)
    with pytest.raises(ImageError, match=broken[0]["face_id"]):
        stage.run()
    paths.test_set("people").unlink()
    with pytest.raises(FaceTableError, match=r"data/test_sets/people/faces\.parquet"):
        stage.run()
    assert not paths.aligned("people").exists()
    (paths.LANDMARKS / "model.safetensors").unlink()
    with pytest.raises(TrainingError, match="models/landmarks"):
        stage.run()
