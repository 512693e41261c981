"""locate-landmarks: HR faces keep the landmarks that they have, native ones get the network's."""

import numpy as np
import pytest
import torch

from lrfr import paths
from lrfr.core.alignment import TEMPLATE
from lrfr.errors import FaceTableError, ImageError, TrainingError
from lrfr.faces import LANDMARK_SCHEMA, decode, read_table
from lrfr.nn.landmarks.model_file import write_landmark_model
from lrfr.nn.landmarks.network import CNN6
from lrfr.nn.landmarks.prediction import predict
from lrfr.stages import locate_landmarks
from tests.face_tables import whole, write_params, write_split


def network(found=TEMPLATE / 112, std=0.0):
    """A network that finds points near these (5, 2), shares of the sides, wherever the face is."""
    torch.manual_seed(0)
    network = CNN6(0.05, torch.tensor(found.ravel() * 64, dtype=torch.float32)).eval()
    torch.nn.init.normal_(network.output.weight, std=std)
    write_landmark_model(paths.LANDMARKS, network)
    return network


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_params(threads=1)


def located():
    locate_landmarks.run()
    return [
        {row["face_id"]: row["landmarks"] for row in read_table(path, LANDMARK_SCHEMA).to_pylist()}
        for path in (paths.AUXILIARY_LANDMARKS, paths.NATIVE_LANDMARKS)
    ]


def test_unrecognizable_faces_have_the_network_s_too():
    write_split()
    model = network(std=1e-3)
    located()
    found = {
        row["face_id"]: row["landmarks"]
        for row in read_table(paths.UNRECOGNIZABLE_LANDMARKS, LANDMARK_SCHEMA).to_pylist()
    }
    rows = whole(paths.UNRECOGNIZABLE).to_pylist()
    assert list(found) == [row["face_id"] for row in rows]
    assert all(np.allclose(found[row["face_id"]], predicted(model, row), atol=1e-3) for row in rows)


def predicted(network, row):
    return predict(network, [decode(row["image"])])[0].ravel()


def test_native_landmarks_are_the_network_s_and_never_the_table_s():
    write_split(lambda benchmark, auxiliary: [row.update(landmarks=None) for row in benchmark[::3]])
    model = network(std=1e-3)
    _, native = located()
    rows = whole(paths.BENCHMARK).to_pylist()
    assert list(native) == [row["face_id"] for row in rows]
    for row in rows:
        assert np.allclose(native[row["face_id"]], predicted(model, row), atol=1e-3)
        assert row["landmarks"] is None or not np.allclose(native[row["face_id"]], row["landmarks"], atol=0.1)


def test_hr_faces_keep_theirs_and_the_others_are_found():
    write_split(lambda benchmark, auxiliary: [row.update(landmarks=None) for row in auxiliary[1::4]])
    model = network(std=1e-3)
    auxiliary, _ = located()
    rows = whole(paths.AUXILIARY).to_pylist()
    assert list(auxiliary) == [row["face_id"] for row in rows]
    for number, row in enumerate(rows):
        expected = predicted(model, row) if number % 4 == 1 else row["landmarks"]
        assert np.allclose(auxiliary[row["face_id"]], expected, atol=1e-3)


def test_what_is_no_face_s_is_null_and_counted(capsys):
    def change(benchmark, auxiliary):
        mirrored = np.array(auxiliary[2]["landmarks"]).reshape(5, 2)[[1, 0, 2, 4, 3]]
        auxiliary[2]["landmarks"] = mirrored.ravel().tolist()  # left and right exchanged

    write_split(change)
    network(found=np.tile([[0.5, 0.5]], (5, 1)))
    auxiliary, native = located()
    assert [number for number, points in enumerate(auxiliary.values()) if points is None] == [2]
    assert set(native.values()) == {None}
    said = capsys.readouterr().out
    assert f"{paths.AUXILIARY}: landmarks of 29 of 30 faces" in said
    assert f"{paths.BENCHMARK}: landmarks of 0 of 60 faces" in said


def test_equal_faces_give_equal_bytes():
    write_split()
    network(std=1e-3)
    made = (paths.AUXILIARY_LANDMARKS, paths.NATIVE_LANDMARKS)
    located()
    first = [path.read_bytes() for path in made]
    located()
    assert [path.read_bytes() for path in made] == first


def test_what_is_missing_or_broken_is_named():
    with pytest.raises(TrainingError, match=r"models/landmarks/landmarks\.safetensors"):
        locate_landmarks.run()
    network()
    with pytest.raises(FaceTableError, match=r"data/split/auxiliary\.parquet"):
        locate_landmarks.run()
    write_split(lambda benchmark, auxiliary: benchmark[3].update(image=b"not an image"))
    with pytest.raises(ImageError, match="benchmark"):
        locate_landmarks.run()
    assert not paths.NATIVE_LANDMARKS.exists()
