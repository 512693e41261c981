"""Faces that are warped, and those that training sees so."""

import cv2
import numpy as np
import pyarrow as pa
import pytest
import torch
from pydantic import ValidationError

from lrfr.core.alignment import SIDE, TEMPLATE
from lrfr.errors import LandmarkError
from lrfr.faces import decode
from lrfr.nn.alignment import align
from lrfr.nn.batches.alignment import Alignment, RandomAlignment, landmarks_of
from lrfr.nn.batches.augmentation import Augmentation
from lrfr.nn.batches.labelled import training_batches, validation_batches
from lrfr.nn.batches.low_resolution import LowResolution
from lrfr.nn.batches.order import MixedOrder
from lrfr.nn.embedder import to_size
from lrfr.synthesis import degradation
from tests.core.test_alignment import moved
from tests.face_tables import face, face_table, labelled_of

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
@pytest.mark.parametrize("size", [112, 224])
def test_what_is_drawn_at_the_landmarks_comes_to_lie_on_the_template(side, angle, size):
    scale = 0.8 * side / SIDE
    middle = moved(np.array([[56.0, 72.0]]), angle, scale, [0, 0])[0]
    points = moved(TEMPLATE, angle, scale, [0.55 * side, 0.5 * side] - middle)
    image = drawn(points, side, round(1.1 * side), max(3 * scale, 0.6))
    aligned = align(image, points, size)
    assert aligned.shape == (size, size, 3) and aligned.dtype == np.uint8
    there = TEMPLATE * size / SIDE
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


def points_of(faces, row):
    return np.reshape(faces["landmarks"][row].as_py(), (5, 2))


def test_shares_of_the_faces_are_aligned_and_of_these_cut():
    faces = table()
    image, points = decode(faces["image"][0].as_py()), landmarks_of(faces["landmarks"].to_pylist())
    random = RandomAlignment(Alignment(share=0.6, tight=0.3), points)
    whole, seen = align(image, points[0]), []
    for seed in range(300):
        made = random(image, 0, np.random.default_rng(seed))
        assert np.array_equal(made, random(image, 0, np.random.default_rng(seed)))
        seen.append("as it is" if made is image else "whole" if np.array_equal(made, whole) else "cut")
    shares = {kind: seen.count(kind) / 300 for kind in set(seen)}
    assert shares == pytest.approx({"as it is": 0.4, "whole": 0.42, "cut": 0.18}, abs=0.08)


def test_what_a_tight_crop_cuts_off_is_black_and_the_rest_is_as_it_was():
    image, points = np.full((112, 112, 3), 200, np.uint8), TEMPLATE[None]
    random, blacks = RandomAlignment(Alignment(share=1, tight=1), points), []
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
@pytest.mark.parametrize("tight", [0, 1])
def test_a_face_whose_landmarks_say_nothing_stays_as_it_is(landmarks, tight):
    faces = table(landmarks=landmarks)
    plain, _, _ = labelled_of(faces, SIZE)
    aligned, validation, _ = labelled_of(faces, SIZE, alignment=Alignment(share=1, tight=tight))
    keys = [(row, row) for row in range(6)]
    assert torch.equal(aligned.training_batch(keys)[0], plain.training_batch(keys)[0])
    assert validation is not None and torch.equal(validation.images[0], labelled_of(faces, SIZE)[1].images[0])


def test_a_face_is_aligned_before_it_is_made_small_resized_and_augmented():
    faces = table()
    section = LowResolution(synthesizer="downsample", share=1, heights=[10, 12])
    train, _, _ = labelled_of(faces, SIZE, degradation(section, "here"), Alignment(share=1))
    images, _ = train.training_batch([(2, 5)])
    degrade = degradation(section, "here")
    assert degrade is not None
    aligned = align(decode(faces["image"][2].as_py()), points_of(faces, 2))
    expected = train.images.resized(degrade(aligned, np.random.default_rng((5, 1))))
    assert np.array_equal(images[0].numpy(), Augmentation()(expected, 5))


@pytest.mark.parametrize(("share", "is_aligned"), [(1.0, True), (0.9, False)])
def test_validation_sees_aligned_faces_where_training_sees_no_others(share, is_aligned):
    faces = table()
    train, validation, _ = labelled_of(faces, SIZE, alignment=Alignment(share=share, tight=1))
    assert validation is not None
    for part, row in ((train, 0), (validation, 6)):  # those of training are what class means are made of
        (batch,) = validation_batches(part, 10)
        image = decode(faces["image"][row].as_py())
        seen = align(image, points_of(faces, row)) if is_aligned else image
        expected = to_size(torch.from_numpy(seen.copy()).permute(2, 0, 1)[None].float() / 255, SIZE)[0]
        assert torch.allclose(batch.images[0], expected, atol=1e-5)


def test_workers_change_nothing():
    train, _, _ = labelled_of(face_table(), SIZE, alignment=Alignment(share=0.7, tight=0.5))
    order = MixedOrder({"native": train.labels}, 4, 2, 1)
    alone, helped = ([batch["native"] for batch in training_batches({"native": train}, order, n)] for n in (0, 2))
    for ours, theirs in zip(alone, helped, strict=True):
        assert torch.equal(ours.images, theirs.images)


@pytest.mark.parametrize("section", [{"share": 0}, {"share": 1.1}, {"share": 1, "tight": -0.1}, {"tight": 1}])
def test_shares_are_shares(section):
    with pytest.raises(ValidationError):
        Alignment(**section)
