import csv
import json
import os
import signal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from lrfr import paths
from lrfr.errors import FaceTableError, InterruptedTrainingError, ParameterError
from lrfr.faces import encode_png
from lrfr.nn.landmarks.model_file import read_landmark_model
from lrfr.nn.landmarks.task import Localisation
from lrfr.stages import train_landmarks
from tests.drawing import portrait
from tests.face_tables import write_params
from tests.nn.landmarks.marked import table
from tests.nn.small_training import training

TRAINING = {"epochs": 2, "learning_rate": 1e-3, "validation_sides": [12]}


def write(faces=None, **changes):
    chosen = training(**TRAINING).model_dump(exclude_unset=True)
    section = {"width": 0.125, "heights": [8, 64], "tight": 0.3, "training": chosen}
    write_params(threads=1, landmarks=section | changes)
    paths.AUXILIARY.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table(5, 4) if faces is None else faces, paths.AUXILIARY)


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def written():
    curve = paths.LANDMARK_CURVE
    files = [paths.LANDMARKS / "landmarks.safetensors", curve, paths.LANDMARK_METRICS, paths.LANDMARK_ERROR]
    return [path.read_bytes() for path in files]


def test_a_model_its_curve_and_its_errors_are_written():
    write()
    train_landmarks.run()
    assert read_landmark_model(paths.LANDMARKS).width == 0.125
    with paths.LANDMARK_ERROR.open() as lines:
        rows = list(csv.DictReader(lines))
    assert list(rows[0]) == ["height", "cnn6", "cnn6_low", "cnn6_high", "mean_shape", "mtcnn", "mtcnn_found"]
    assert [int(row["height"]) for row in rows] == [8, 12, 16, 20, 24, 32, 48, 64]
    assert all(float(row["cnn6"]) > 0 for row in rows)
    assert {row["mtcnn_found"] for row in rows} == {"0.0"}  # coloured blobs are no face
    assert {row["mtcnn"] for row in rows} == {""}
    metrics = json.loads(paths.LANDMARK_METRICS.read_text())
    assert (metrics["faces"], metrics["judged"]) == (16, 4)
    assert [row["cnn6_low"] for row in metrics["heights"]] == [None] * 8  # of one identity there is no interval
    with paths.LANDMARK_CURVE.open() as lines:
        curve = list(csv.DictReader(lines))
    assert [row["step"] for row in curve] == ["2", "4"]
    assert {"wing", "validation_wing", "validation_wing_12px"} <= set(curve[0])
    assert not list(Path("checkpoints").rglob("*.pt"))


def test_interrupted_and_taken_up_equals_never_interrupted(monkeypatch):
    write()
    train_landmarks.run()
    whole = written()
    losses = Localisation.losses

    def interrupting(task, batch, context, optimizer):
        if context.step == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return losses(task, batch, context, optimizer)

    with monkeypatch.context() as patched, pytest.raises(InterruptedTrainingError):
        patched.setattr(Localisation, "losses", interrupting)
        train_landmarks.run()
    train_landmarks.run()
    assert written() == whole


def test_mtcnn_is_asked_where_the_face_is():
    image = portrait(160, 1)[32:128, 40:120]
    points = train_landmarks.by_mtcnn(image, [0.6, 0.7, 0.7])
    assert points is not None
    assert ((points > 0) & (points < [80, 96])).all()
    assert points[0, 0] < points[1, 0]
    assert points[0, 1] < points[3, 1]
    assert train_landmarks.by_mtcnn(image[:6, :5], [0.6, 0.7, 0.7]) is None


def test_where_the_source_brings_no_landmarks_the_detector_finds_them():
    images = [portrait(160, number)[32:128, 40:120] for number in range(12)]
    rows = table(6, 2).to_pylist()
    for row, image in zip(rows, images, strict=True):
        row.update(image=encode_png(image), width=80, height=96, landmarks=None)
    write(pa.Table.from_pylist(rows, table(6, 2).schema))
    train_landmarks.run()
    metrics = json.loads(paths.LANDMARK_METRICS.read_text())
    assert (metrics["faces"], metrics["judged"]) == (10, 2)
    assert metrics["heights"][-1]["mtcnn_found"] == 1


def test_no_more_faces_are_taken_than_asked_for():
    write(most_faces=12)
    train_landmarks.run()
    metrics = json.loads(paths.LANDMARK_METRICS.read_text())
    assert metrics["faces"] + metrics["judged"] == 12


def test_mistakes_are_told():
    write(table(3, 3, landmarks=None))
    with pytest.raises(FaceTableError, match="no face has landmarks"):
        train_landmarks.run()
    write(table(3, 3, landmarks=[10.0] * 10))
    with pytest.raises(FaceTableError, match="the eyes of some faces lie in one place"):
        train_landmarks.run()
    write(wing={"w": 10, "epsilo": 2.0})
    with pytest.raises(ParameterError, match="epsilon"):
        train_landmarks.run()
    assert yaml.safe_load(paths.PARAMS.read_text())["landmarks"]["wing"]["w"] == 10
