"""Faces with landmarks as training data, and a training on them."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from lrfr.errors import FaceTableError, ParameterError
from lrfr.faces import FACE_SCHEMA
from lrfr.nn.compute import make_deterministic
from lrfr.nn.landmarks.error import normalised_error
from lrfr.nn.landmarks.faces import LandmarkFaces, held_out, points_of
from lrfr.nn.landmarks.network import CNN6
from lrfr.nn.landmarks.prediction import predict
from lrfr.nn.landmarks.settings import Landmarks, Wing
from lrfr.nn.landmarks.task import Localisation
from lrfr.nn.landmarks.views import MIRRORED
from lrfr.nn.training import loop
from lrfr.nn.training.checkpoint import SavedState
from lrfr.nn.training.loop import train
from tests.face_tables import images_of
from tests.nn.landmarks.marked import table, where_marked
from tests.nn.small_training import training

ADAM = {"optimizer": "adam", "momentum": None, "learning_rate": 3e-3, "weight_decay": 0, "warmup_epochs": 0}


def landmark_faces(faces: pa.Table, heights: tuple[int, int], tight: float) -> LandmarkFaces:
    return LandmarkFaces(faces, images_of(faces), heights, tight)


def test_a_training_batch_shows_the_points_where_they_are():
    faces = landmark_faces(table(2, 4), (60, 64), 0.5)
    keys = [(row, 17 * row + 3) for row in range(8)]
    images, labels = faces.training_batch(keys)
    assert images.shape == (8, 64, 64, 3)
    assert images.dtype == torch.uint8
    assert labels.dtype == torch.float32
    for image, label in zip(images.numpy(), labels.numpy().reshape(-1, 5, 2), strict=True):
        inside = ((label > 6) & (label < 58)).all(axis=1)
        found = where_marked(image)
        assert min(np.abs(found[order] - label)[inside].max() for order in (range(5), MIRRORED)) < 1.5
    again = faces.training_batch(keys[::-1])
    assert torch.equal(again[0].flip(0), images)
    assert torch.equal(again[1].flip(0), labels)
    assert not torch.equal(faces.training_batch([(0, 4)])[1], labels[:1])


def test_nobody_who_is_judged_by_trains():
    faces = table(12, 2, landmarks=None)
    rows = faces.to_pylist()
    for number, row in enumerate(table(12, 2).to_pylist()):
        rows[number] = row if number % 2 or number < 4 else row | {"landmarks": None}
    fit, judged = held_out(pa.Table.from_pylist(rows, FACE_SCHEMA), 3, "here")
    people = [set(part.column("identity").to_pylist()) for part in (fit, judged)]
    assert not people[0] & people[1]
    assert len(people[1]) == 1
    assert len(fit) + len(judged) == 14
    backwards = held_out(table(12, 2).take(np.arange(24)[::-1]), 3, "here")[1]
    assert people[1] == set(backwards.column("identity").to_pylist())


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"landmarks": None}, "no face has landmarks"),
        ({"landmarks": [1.0] * 9 + [float("nan")]}, "are no numbers"),
        ({"identity": "one"}, "1 identities"),
        ({"identity": None}, "0 identities"),
    ],
)
def test_faces_that_nothing_can_be_learnt_from_are_refused(columns, message):
    with pytest.raises(FaceTableError, match=message):
        held_out(table(2, 2, **columns), 0, "here")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heights": [20, 10]}, "lower end"),
        ({"training": training(images_per_identity=2)}, "no identity"),
        ({"training": training(tight_crops=0.5)}, "leave training.tight_crops out"),
        ({"training": training(augmentation=None)}, "leave training.augmentation out"),
        (
            {"training": training(low_resolution={"synthesizer": "downsample", "share": 1.0, "heights": [8, 9]})},
            "heights say",
        ),
    ],
)
def test_settings_of_recognition_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Landmarks(**({"heights": [8, 64], "tight": 0.3, "training": training()} | changes))


def learnt(folder, **changes):
    make_deterministic(0, 1)
    fit, judged = held_out(table(), 0, "here")
    faces = landmark_faces(fit, (24, 64), 0.2)
    task = Localisation(CNN6(0.125, torch.from_numpy(faces.labels.mean(axis=0))), Wing())
    chosen = training(**(ADAM | changes))
    curves = train(task, {"auxiliary": faces}, None, chosen, 0, SavedState(folder / "state.pt", "same"))
    return task.network, curves, judged, faces


def test_it_learns_where_the_points_are(tmp_path):
    network, curves, judged, faces = learnt(tmp_path, epochs=12, batch_size=4)
    images = [landmark_faces(judged, (24, 64), 0.2).images.captured(row) for row in range(len(judged))]
    sizes = np.array([image.shape[1::-1] for image in images])
    mean_shape = faces.labels.mean(axis=0).reshape(5, 2) / 64 * sizes[:, None]
    there = points_of(judged)
    error, floor = (normalised_error(found, there).mean() for found in (predict(network, images), mean_shape))
    assert curves[-1]["wing"] < 0.75 * curves[0]["wing"]
    assert error < floor / 2


def test_the_number_of_workers_changes_nothing(tmp_path, monkeypatch):
    weights = []
    for workers in (0, 2):
        monkeypatch.setattr(loop, "decoding_workers", lambda workers=workers: workers)
        weights.append(learnt(tmp_path / str(workers), epochs=1)[0].state_dict())
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())


def test_the_plateau_needs_nothing_but_a_validation_loss(tmp_path):
    with pytest.raises(ParameterError, match="plateau"):
        learnt(tmp_path, schedule="plateau")
