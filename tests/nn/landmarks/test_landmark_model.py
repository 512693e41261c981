import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from lrfr import paths
from lrfr.errors import TrainingError
from lrfr.nn.landmarks.error import normalised_error
from lrfr.nn.landmarks.model_file import FILE, landmarks_for, read_landmark_model, write_landmark_model
from lrfr.nn.landmarks.network import CNN6
from lrfr.nn.landmarks.prediction import predict
from tests.nn.landmarks.marked import SHAPE


def network(width=0.125, start=None):
    torch.manual_seed(0)
    return CNN6(width, start).eval()


def test_the_published_network_has_the_published_layers():
    shapes = [tuple(value.shape) for name, value in CNN6().named_parameters() if "weight" in name]
    assert shapes == [
        (32, 3, 3, 3), (64, 32, 3, 3), (128, 64, 3, 3), (256, 128, 3, 3), (512, 256, 3, 3), (1024, 2048), (10, 1024)
    ]  # fmt: skip
    assert network()(torch.rand(3, 3, 64, 64)).shape == (3, 10)


def test_training_begins_at_the_points_that_it_is_given():
    start = torch.from_numpy(SHAPE.ravel().astype(np.float32) * 64)
    assert network(0.5, start)(torch.rand(4, 3, 64, 64)).sub(start).abs().max() < 5


def test_points_are_full_floats_under_mixed_precision():
    with torch.autocast("cpu", torch.bfloat16):
        assert network()(torch.rand(1, 3, 64, 64)).dtype == torch.float32


def test_predicted_points_grow_with_the_image():
    model = network()
    plain = [np.full((height, width, 3), 90, np.uint8) for height, width in ((64, 64), (128, 128), (16, 40))]
    small, large, wide = predict(model, plain)
    assert large == pytest.approx(2 * small, abs=1e-3)
    assert wide == pytest.approx(small * [40 / 64, 16 / 64], abs=1e-3)


def test_a_prediction_does_not_depend_on_the_others(monkeypatch):
    model, rng = network(), np.random.default_rng(0)
    images = [rng.integers(0, 256, (int(h), int(w), 3), np.uint8) for h, w in rng.integers(6, 90, (9, 2))]
    together = predict(model, images)
    monkeypatch.setattr("lrfr.nn.landmarks.prediction.BATCH", 4)
    assert together.shape == (9, 5, 2)
    assert together.dtype == np.float64
    assert predict(model, images) == pytest.approx(together, abs=1e-4)
    assert np.array_equal(predict(model, images[:4]), predict(model, images)[:4])
    assert predict(model, []).shape == (0, 5, 2)


def test_a_model_is_read_as_it_was_written(tmp_path):
    model = network(0.25)
    write_landmark_model(tmp_path, model)
    first = (tmp_path / FILE).read_bytes()
    again = read_landmark_model(tmp_path)
    images = torch.rand(2, 3, 64, 64)
    assert torch.equal(model(images), again(images))
    assert not again.training
    write_landmark_model(tmp_path, again)
    assert (tmp_path / FILE).read_bytes() == first


def test_what_is_no_landmark_model_is_said(tmp_path):
    with pytest.raises(TrainingError, match="not a landmark network"):
        read_landmark_model(tmp_path)
    save_file({"a": torch.ones(1)}, tmp_path / FILE, {"lrfr": '{"architecture": {}}'})
    with pytest.raises(TrainingError, match="not a landmark network"):
        read_landmark_model(tmp_path)


def test_the_projects_network_is_for_models_that_take_aligned_faces(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert landmarks_for("as_cropped") is None
    with pytest.raises(TrainingError, match=r"not a landmark network(.|\n)*models/landmarks/landmarks.safetensors"):
        landmarks_for("arcface_112")
    write_landmark_model(paths.LANDMARKS, network(0.25))
    found = landmarks_for("arcface_112")
    assert found is not None and found.width == 0.25


def test_a_landmark_model_that_broke_down_is_said(tmp_path):
    model = CNN6(0.125)
    with torch.no_grad():
        next(model.parameters()).view(-1)[0] = torch.nan
    write_landmark_model(tmp_path, model)
    with pytest.raises(TrainingError, match="its weights are no numbers"):
        read_landmark_model(tmp_path)


def test_the_error_is_the_mean_distance_over_that_of_the_eyes():
    reference = np.array([SHAPE * 50, SHAPE * 100])
    moved = reference + np.array([3.0, 4.0])
    assert normalised_error(moved, reference) == pytest.approx([100 * 5 / 20, 100 * 5 / 40])
