"""Faces as a model wants them: as they were cropped, or aligned; those that nobody can align."""

import numpy as np
import pytest
import torch
from PIL import Image

from lrfr.core.alignment import SIDE, TEMPLATE, check_presentation
from lrfr.nn import presentation
from lrfr.nn.alignment import align
from lrfr.nn.framing import aligned_or_centred, centred
from lrfr.nn.landmarks.network import CNN6
from lrfr.nn.landmarks.prediction import predict
from lrfr.nn.presentation import Presenter
from tests.face_tables import picture
from tests.nn.landmarks.marked import SHAPE

SIZES = [(40, 32), (21, 17), (150, 120), (60, 90)]
NOTHING = np.full((5, 2), np.nan)


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    return [picture(rng, height, width) for height, width in SIZES]


@pytest.fixture(scope="module")
def finder():
    """A network that finds every face where faces are."""
    torch.manual_seed(0)
    network = CNN6(0.125, torch.from_numpy(SHAPE.ravel().astype(np.float32) * 64)).eval()
    with torch.no_grad():
        network.output.weight *= 0.1
    return network


def known(images):
    """Landmarks of their own for each image, other than the network's."""
    return np.array([SHAPE * image.shape[1::-1] + 1 for image in images])


def test_as_cropped_gives_the_very_images(images, finder):
    presenter = Presenter("as_cropped", finder)
    assert not presenter.aligns
    faces, found = presenter(images, known(images))
    assert all(face is image for face, image in zip(faces, images, strict=True))
    assert found.tolist() == [True] * 4


def test_known_landmarks_are_used_and_nobody_looks_for_them(monkeypatch, images):
    def never(*arguments):
        raise AssertionError("the landmarks are known")

    monkeypatch.setattr(presentation, "predict", never)
    points = known(images)
    for finder in (None, CNN6(0.125)):
        faces, found = Presenter("arcface_112", finder)(images, points)
        expected = [align(image, of, "arcface_112") for image, of in zip(images, points, strict=True)]
        assert all(np.array_equal(*pair) for pair in zip(faces, expected, strict=True))
        assert found.all() and found.dtype == bool
    assert np.array_equal(points, known(images)), "what is handed over stays"


def test_unknown_landmarks_are_found_by_the_network(images, finder):
    faces, found = Presenter("arcface_112", finder)(images)
    expected = [align(image, of) for image, of in zip(images, predict(finder, images), strict=True)]
    assert found.all()
    assert all(np.array_equal(*pair) for pair in zip(faces, expected, strict=True))
    assert {face.shape for face in faces} == {(SIDE, SIDE, 3)}


@pytest.mark.parametrize("hole", [slice(None), 3])
def test_only_faces_of_which_a_landmark_is_unknown_are_looked_at(monkeypatch, images, finder, hole):
    points, seen = known(images), []
    points[[1, 3], hole] = np.nan
    before = points.copy()

    def watched(network, some):
        seen.append(some)
        return predict(network, some)

    monkeypatch.setattr(presentation, "predict", watched)
    faces, found = Presenter("arcface_112", finder)(images, points)
    assert [[image.shape for image in some] for some in seen] == [[images[1].shape, images[3].shape]]
    points[[1, 3]] = predict(finder, [images[1], images[3]])
    assert found.all()
    for face, image, of in zip(faces, images, points, strict=True):
        assert np.array_equal(face, align(image, of))
    assert np.isnan(before[[1, 3], hole]).all()


@pytest.mark.parametrize(
    "points", [NOTHING, np.full((5, 2), 9.0), TEMPLATE + 5000, TEMPLATE[[1, 0, 2, 4, 3]] * 0.3, np.full((5, 2), np.inf)]
)
def test_a_face_that_nobody_can_align_is_centred_and_reported(images, points):
    of = known(images)
    of[2] = points
    faces, found = Presenter("arcface_112", None)(images, of)
    assert found.tolist() == [True, True, False, True]
    assert np.array_equal(faces[2], centred(images[2], SIDE))
    face, was_aligned = aligned_or_centred(images[2], points, "arcface_112")
    assert np.array_equal(face, faces[2]) and not was_aligned


def test_a_network_that_finds_no_face_leaves_faces_centred(images):
    """Its points all lie in one place."""
    nowhere = CNN6(0.125, torch.full((10,), 32.0)).eval()
    with torch.no_grad():
        nowhere.output.weight.zero_()
    faces, found = Presenter("arcface_112", nowhere)(images)
    assert not found.any()
    assert all(np.array_equal(face, centred(image, SIDE)) for face, image in zip(faces, images, strict=True))


def test_nothing_is_presented_as_nothing(finder):
    faces, found = Presenter("arcface_112", finder)([])
    assert faces == [] and found.shape == (0,) and found.dtype == bool


@pytest.mark.parametrize(
    ("height", "width"), [(112, 112), (20, 20), (300, 300), (40, 20), (30, 61), (500, 3), (1, 200)]
)
def test_the_fixed_crop_is_the_whole_face_in_the_middle_of_black(height, width):
    image = np.full((height, width, 3), 200, np.uint8)
    square = centred(image, SIDE)
    assert square.shape == (SIDE, SIDE, 3) and square.dtype == np.uint8
    shown = square[..., 0] == 200
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    assert shown.sum() == len(rows) * len(columns) and not square[~shown].any()
    scale = SIDE / max(height, width)
    assert abs(len(rows) - max(height * scale, 1)) <= 0.5 and abs(len(columns) - max(width * scale, 1)) <= 0.5
    for places in (rows, columns):
        assert abs(places[0] - (SIDE - 1 - places[-1])) <= 1


def test_the_fixed_crop_of_a_square_is_the_image_itself():
    image = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    assert np.array_equal(centred(image, SIDE), image)


def test_a_large_face_does_not_alias_in_the_fixed_crop():
    stripes = np.zeros((896, 896, 3), np.uint8)
    stripes[:, ::2] = 255
    assert np.abs(centred(stripes, SIDE).astype(int) - 127).max() <= 1


def test_presentations_are_known_by_name():
    assert [check_presentation(name) for name in ("as_cropped", "arcface_112")] == ["as_cropped", "arcface_112"]
    with pytest.raises(ValueError, match="there is no presentation 'cropped'; known: as_cropped, arcface_112"):
        check_presentation("cropped")


@pytest.mark.parametrize(("height", "width"), [(137, 100), (100, 137), (400, 300), (224, 224), (9, 7)])
def test_the_middle_is_what_tcs_networks_see(height, width):
    """Resize(256) and CenterCrop(224) of Massoli's transforms, on Pillow's images."""
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    short = min(height, width)
    size = (int(256 * width / short), int(256 * height / short))
    resized = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR), int)
    top, left = (round((side - 224) / 2.0) for side in resized.shape[:2])
    shown, found = Presenter("middle_224", None)([image])
    assert shown[0].shape == (224, 224, 3) and found.all()
    assert np.abs(shown[0].astype(int) - resized[top : top + 224, left : left + 224]).max() <= 1
    assert np.array_equal(shown[0], aligned_or_centred(image, np.full((5, 2), np.nan), "middle_224")[0])
    assert not Presenter("middle_224", None).aligns
