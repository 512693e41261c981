"""Faces that are warped, and those that training sees so."""

import cv2
import numpy as np
import pyarrow as pa
import pytest
import torch

from lrfr import paths
from lrfr.core.alignment import SIDE, TEMPLATE, TEMPLATES
from lrfr.decoding import decode
from lrfr.errors import FaceTableError, LandmarkError, ParameterError
from lrfr.faces import LANDMARK_SCHEMA, write_faces, write_table
from lrfr.nn.alignment import align
from lrfr.nn.batches.alignment import AlignedFaces, Alignment, alignment, check_tight_crops, landmarks_of
from lrfr.nn.batches.augmentation import Augmentation
from lrfr.nn.batches.labelled import labelled, training_batches, validation_batches
from lrfr.nn.batches.low_resolution import LowResolution
from lrfr.nn.batches.order import MixedOrder
from lrfr.nn.framing import centred
from lrfr.nn.resolution import to_size
from lrfr.synthesis import degradation
from tests.core.test_alignment import moved
from tests.face_tables import face, face_table

SIZE = (32, 24)


def drawn(points, height, width, sigma):
    """White dots on black, RGB (height, width, 3), uint8."""
    y, x = np.mgrid[:height, :width] + 0.5
    dots = [np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * sigma**2)) for px, py in points]
    return np.repeat(np.rint(255 * np.max(dots, axis=0))[..., None], 3, axis=2).astype(np.uint8)


def centres(image, points, reach):
    """Where the dots near these points have their centres."""
    found = []
    grey = image[..., 0].astype(float)
    y, x = np.mgrid[: len(image), : image.shape[1]] + 0.5
    for px, py in points:
        weight = grey * (np.hypot(x - px, y - py) < reach)
        found.append([(weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum()])
    return np.array(found)


@pytest.mark.parametrize("side", [20, 40, 112, 150, 400, 900])
@pytest.mark.parametrize("angle", [-0.6, 0.0, 0.2])
@pytest.mark.parametrize("presentation", ["arcface_112", "arcface_224", "dlib_150"])
def test_what_is_drawn_at_the_landmarks_comes_to_lie_on_the_template(monkeypatch, side, angle, presentation):
    monkeypatch.setitem(TEMPLATES, "arcface_224", (224, 2 * TEMPLATE))
    size, there = TEMPLATES[presentation]
    scale = 0.8 * side / SIDE
    middle = moved(np.array([[56.0, 72.0]]), angle, scale, [0, 0])[0]
    points = moved(there * SIDE / size, angle, scale, [0.55 * side, 0.5 * side] - middle)
    image = drawn(points, side, round(1.1 * side), max(3 * scale, 0.6))
    aligned = align(image, points, presentation)
    assert aligned.shape == (size, size, 3) and aligned.dtype == np.uint8
    assert np.abs(centres(aligned, there, 9 * size / SIDE) - there).max() < 0.5 * size / SIDE


def test_an_aligned_face_is_aligned_already_and_a_shift_moves_whole_pixels():
    image = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE, 3), np.uint8)
    assert np.array_equal(align(image, TEMPLATE), image)
    shifted = align(image, TEMPLATE + np.array([3, -2]))
    assert np.array_equal(shifted[2:, :-3], image[:-2, 3:])
    assert not shifted[:2].any() and not shifted[:, -3:].any()


def test_at_its_own_scale_a_face_is_aligned_as_by_opencv():
    """What insightface does: the warp of the matrix that it estimates, bilinear, black around."""
    image = np.random.default_rng(0).integers(0, 255, (200, 180, 3), np.uint8)
    points = moved(TEMPLATE, 0.3, 0.999, [40, 20])
    matrix, _ = cv2.estimateAffinePartial2D(points - 0.5, TEMPLATE - 0.5, method=cv2.LMEDS)
    expected = cv2.warpAffine(image, matrix, (SIDE, SIDE)).astype(int)
    assert np.abs(align(image, points) - expected).mean() < 3


def test_a_face_that_is_larger_than_the_aligned_one_does_not_alias():
    stripes = np.zeros((900, 900, 3), np.uint8)
    stripes[:, ::2] = 255
    aligned = align(stripes, TEMPLATE * 8 + 1)[10:-10, 10:-10]
    assert np.abs(aligned.astype(int) - 128).max() <= 3


def test_landmarks_of_nothing_are_refused():
    with pytest.raises(LandmarkError):
        align(np.zeros((20, 20, 3), np.uint8), np.full((5, 2), 3.0))


@pytest.mark.parametrize("move", [5000, -5000])
def test_landmarks_that_all_lie_outside_of_the_picture_are_refused(move):
    with pytest.raises(LandmarkError, match="no landmark lies in the picture"):
        align(np.zeros((SIDE, SIDE, 3), np.uint8), TEMPLATE + move)


def table(**changes):
    rng = np.random.default_rng(1)
    rows = [
        face(rng, f"{number}", 40, identity=f"person{number % 3}", split=("train", "validation")[number >= 6]) | changes
        for number in range(9)
    ]
    return pa.Table.from_pylist(rows, face_table().schema)


@pytest.fixture
def stored(tmp_path):
    """Stores faces, and where their landmarks are by their own table; how they are loaded, with tight crops or not."""

    def store(faces, located=None):
        write_faces(faces, tmp_path / "faces.parquet")
        told = (faces if located is None else located).select(LANDMARK_SCHEMA.names)
        write_table(told, tmp_path / "landmarks.parquet", LANDMARK_SCHEMA)

        def load(degrade=None, aligned=True, tight_crops=0.0, presentation="arcface_112"):
            alignment = Alignment(presentation, tmp_path / "landmarks.parquet", tight_crops) if aligned else None
            return labelled(tmp_path / "faces.parquet", SIZE, degrade, alignment)

        return load

    return store


def points_of(faces, row):
    return np.reshape(faces["landmarks"][row].as_py(), (5, 2))


def as_input(image):
    """An image as the network sees it: (3, H, W)."""
    return to_size(torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255, SIZE)[0]


def test_a_presentation_as_cropped_aligns_nothing():
    located = paths.AUXILIARY_LANDMARKS
    assert alignment("as_cropped", located, 0.0) is None
    assert alignment("arcface_112", located, 0.5) == Alignment("arcface_112", located, 0.5)
    with pytest.raises(ParameterError, match=r"as they were cropped(.|\n)*main\.tight_crops(.|\n)*arcface_112"):
        check_tight_crops("as_cropped", 0.5, "main")  # they would not be made


def test_faces_that_are_to_be_aligned_and_have_no_landmarks_at_all_stop_the_training(stored):
    faces = table()
    nothing = pa.array([None] * len(faces), faces.schema.field("landmarks").type)
    unlocated = faces.set_column(faces.schema.get_field_index("landmarks"), "landmarks", nothing)
    with pytest.raises(FaceTableError, match=r"none of \d+ faces(.|\n)*landmarks.parquet(.|\n)*as_cropped"):
        stored(faces, unlocated)()
    stored(faces, unlocated)(presentation="middle_224")  # which needs none
    some = pa.array([faces["landmarks"][0].as_py()] + [None] * (len(faces) - 1), nothing.type)
    stored(faces, unlocated.set_column(faces.schema.get_field_index("landmarks"), "landmarks", some))()


def test_every_face_is_aligned_and_a_share_of_them_cut_before():
    faces = table()
    image, points = decode(faces["image"][0].as_py()), landmarks_of(faces["landmarks"].to_pylist())
    random = AlignedFaces("arcface_112", points, 0.3)
    whole, seen = align(image, points[0]), []
    assert np.array_equal(random.presented(image, 0), whole)
    for seed in range(300):
        made = random(image, 0, np.random.default_rng(seed))
        assert np.array_equal(made, random(image, 0, np.random.default_rng(seed)))
        seen.append("whole" if np.array_equal(made, whole) else "cut")
    shares = {kind: seen.count(kind) / 300 for kind in set(seen)}
    assert shares == pytest.approx({"whole": 0.7, "cut": 0.3}, abs=0.08)


def test_what_a_tight_crop_cuts_off_is_black_and_the_rest_is_as_it_was():
    image, points = np.full((112, 112, 3), 200, np.uint8), TEMPLATE[None]
    random, blacks = AlignedFaces("arcface_112", points, 1.0), []
    for seed in range(200):
        made = random(image, 0, np.random.default_rng(seed))
        kept = made[..., 0] == 200
        rows, columns = np.flatnonzero(kept.any(axis=1)), np.flatnonzero(kept.any(axis=0))
        assert kept.sum() == len(rows) * len(columns)  # one rectangle
        assert not made[~kept].any()
        assert rows[0] <= 51 and rows[-1] >= 92 and columns[0] <= 38 and columns[-1] >= 73
        blacks.append(1 - kept.mean())
    assert min(blacks) < 0.2 and max(blacks) > 0.6


@pytest.mark.parametrize("landmarks", [None, [1.0] * 10, [float("nan")] * 10])
@pytest.mark.parametrize("tight_crops", [0.0, 1.0])
def test_a_face_whose_landmarks_say_nothing_is_centred(landmarks, tight_crops):
    """As such a face is presented to the deployed model."""
    image = decode(table()["image"][0].as_py())
    seen = AlignedFaces("arcface_112", landmarks_of([landmarks]), tight_crops)
    expected = centred(image, SIDE)
    assert np.array_equal(seen(image, 0, np.random.default_rng(0)), expected)
    assert np.array_equal(seen.presented(image, 0), expected)


def test_training_takes_the_landmarks_of_their_own_table(stored):
    """Not those of the face table: native faces must not need a detector that works on tiny faces."""
    faces = table()
    shifted = [(np.array(points) + 2).tolist() for points in faces["landmarks"].to_pylist()]
    located = pa.table({"face_id": faces["face_id"], "landmarks": pa.array(shifted, faces["landmarks"].type)})
    train, validation, _ = stored(faces, located)()
    for part, row in ((train, 1), (validation, 7)):
        (batch,) = validation_batches(part, 10)
        image = decode(faces["image"][row].as_py())
        expected = as_input(align(image, np.reshape(shifted[row], (5, 2))))
        assert torch.allclose(batch.images[row % 6], expected, atol=1e-5)
        assert not torch.allclose(expected, as_input(align(image, points_of(faces, row))), atol=1e-2)


def test_landmarks_of_other_faces_are_refused(stored):
    faces = table()
    with pytest.raises(FaceTableError, match=r"landmarks of other faces(.|\n)*lrfr locate-landmarks"):
        stored(faces, faces.slice(0, 8))()
    with pytest.raises(FaceTableError, match="landmarks of other faces"):
        stored(faces, faces.take(np.arange(9)[::-1]))()


def test_a_face_is_aligned_before_it_is_made_small_resized_and_augmented(stored):
    faces = table()
    section = LowResolution(synthesizer="downsample", share=1, heights=[10, 12])
    train, _, _ = stored(faces)(degradation(section, "here"))
    images, _ = train.training_batch([(2, 5)])
    degrade = degradation(section, "here")
    assert degrade is not None
    aligned = align(decode(faces["image"][2].as_py()), points_of(faces, 2))
    expected = train.images.resized(degrade(aligned, np.random.default_rng((5, 1))))
    assert np.array_equal(images[0].numpy(), Augmentation()(expected, 5))


@pytest.mark.parametrize("aligned", [True, False])
def test_validation_sees_faces_as_the_deployed_model_does_and_no_tight_crop(stored, aligned):
    faces = table()
    train, validation, _ = stored(faces)(aligned=aligned, tight_crops=1.0)
    assert validation is not None
    for part, row in ((train, 0), (validation, 6)):  # those of training are what class means are made of
        (batch,) = validation_batches(part, 10)
        image = decode(faces["image"][row].as_py())
        expected = as_input(align(image, points_of(faces, row)) if aligned else image)
        assert torch.allclose(batch.images[0], expected, atol=1e-5)


def test_workers_change_nothing(stored):
    train, _, _ = stored(table())(tight_crops=0.5)
    order = MixedOrder({"native": train.labels}, 4, 2, 1)
    alone, helped = ([batch["native"] for batch in training_batches({"native": train}, order, n)] for n in (0, 2))
    for ours, theirs in zip(alone, helped, strict=True):
        assert torch.equal(ours.images, theirs.images)
