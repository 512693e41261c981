import multiprocessing
import random
import subprocess

import albumentations as A
import cv2
import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lrfr.errors import ImageError, ParameterError
from lrfr.faces import decode
from lrfr.nn.batches.augmentation import Augmentation
from lrfr.nn.batches.augmentation_settings import AugmentationSettings
from lrfr.nn.batches.labelled import training_batches, validation_batches
from lrfr.nn.batches.low_resolution import LowResolution, draw_height
from lrfr.nn.batches.order import MixedOrder
from lrfr.nn.resolution import to_size
from lrfr.synthesis import degradation
from tests.face_tables import face_table, labelled_of

SIZE = (32, 24)
PHOTOGRAPHIC = {"blur": [0.2, 0.9], "noise": [0.005, 0.03], "jpeg_quality": [45, 95]}


def low_resolution(**changes: object) -> LowResolution:
    section = {"synthesizer": "photographic", "settings": PHOTOGRAPHIC, "share": 1.0, "heights": [8, 12]}
    return LowResolution.model_validate(section | changes)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_training_and_validation_resize_as_the_network_does(interpolation):
    table = face_table(people=4, images=8, splits=("train", "train", "train", "validation"))
    for some, split in zip(
        labelled_of(table, SIZE, interpolation=interpolation), ("train", "validation"), strict=False
    ):
        rows = [row for row, name in enumerate(table["split"].to_pylist()) if name == split]
        pixels = some.images.resized(some.images.captured(0))
        captured = torch.from_numpy(decode(table["image"][rows[0]].as_py()).copy()).permute(2, 0, 1)[None] / 255
        expected = to_size(captured, SIZE, interpolation)[0]
        assert np.allclose(pixels.transpose(2, 0, 1) / 255, expected, atol=1.01 / 255)
        assert torch.allclose(some.images[0], expected, atol=1e-5)


def test_the_parts_of_a_batch_come_from_their_collections():
    faces = face_table()
    native, _, people = labelled_of(faces, SIZE)
    auxiliary, _, _ = labelled_of(faces.slice(0, 12), SIZE)
    order = MixedOrder(
        {"native": native.labels, "auxiliary": auxiliary.labels}, 8, 1, 3, shares={"native": 3, "auxiliary": 1}
    )
    batches = list(training_batches({"native": native, "auxiliary": auxiliary}, order))
    assert len(batches) == len(order) > 1
    for batch, keys in zip(batches, order, strict=True):
        for name, collection in (("native", native), ("auxiliary", auxiliary)):
            images, labels = batch[name].images, batch[name].labels
            assert images.shape == (len(keys[name]), 3, *SIZE) and images.dtype == torch.float32
            assert images.min() >= 0 and 0.3 < images.max() <= 1
            assert labels.tolist() == [collection.labels[row] for row, _ in keys[name]]
        for row, (number, seed) in enumerate(keys["native"]):
            pixels = native.images.resized(native.images.captured(number))
            augmented = torch.from_numpy(Augmentation()(pixels, seed)).permute(2, 0, 1) / 255
            assert torch.equal(batch["native"].images[row], augmented)
    assert set(native.labels) == set(range(people))


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_nothing(workers):
    train, _, _ = labelled_of(face_table(), SIZE, degradation(low_resolution(share=0.5), "here"))
    order = MixedOrder({"native": train.labels}, 4, 2, 1)
    state = torch.get_rng_state()
    alone, helped = ([batch["native"] for batch in training_batches({"native": train}, order, n)] for n in (0, workers))
    assert torch.equal(torch.get_rng_state(), state)
    for ours, theirs in zip(alone, helped, strict=True):
        assert torch.equal(ours.images, theirs.images) and torch.equal(ours.labels, theirs.labels)


def test_validation_faces_are_seen_as_they_are():
    faces = face_table(splits=("train", "validation"))
    _, validation, _ = labelled_of(faces, SIZE, degradation(low_resolution(), "here"))
    assert validation is not None
    batches = list(validation_batches(validation, 3))
    assert [len(batch.labels) for batch in batches][:-1] == [3] * (len(batches) - 1)
    images = torch.cat([batch.images for batch in batches])
    assert torch.equal(images, torch.stack([validation.images[row] for row in range(len(validation))]))
    assert torch.cat([batch.labels for batch in batches]).tolist() == validation.labels.tolist()


def test_a_face_that_cannot_be_read_is_named_by_a_worker_too():
    faces = face_table()
    torn = faces.set_column(2, "image", pa.array([b"torn"] * len(faces)))
    train, _, _ = labelled_of(torn, SIZE)
    for workers in (0, 1):
        with pytest.raises(ImageError, match="format") as raised:
            next(training_batches({"native": train}, MixedOrder({"native": train.labels}, 4, 1, 1), workers))
        assert "Traceback" not in str(raised.value) and raised.value.reason == "not_image"


def test_workers_leave_it_to_the_training_to_stop():
    train, _, _ = labelled_of(face_table(), SIZE)
    batches = training_batches({"native": train}, MixedOrder({"native": train.labels}, 4, 4, 1), workers=1)
    next(batches)
    (worker,) = multiprocessing.active_children()
    for request in ("-INT", "-TERM"):
        subprocess.run(["kill", request, str(worker.pid)], check=True)
    assert len(list(batches)) == 23
    worker.join(20)
    assert not worker.is_alive()


def test_faces_are_shrunk_as_often_and_as_far_as_asked_for():
    image = decode(face_table()["image"][0].as_py())
    image = np.tile(image, (6, 6, 1))
    heights = []
    degrade = degradation(low_resolution(share=0.3, heights=[8, 32]), "here")
    assert degrade is not None
    for number in range(2000):
        shrunk = degrade(image, np.random.default_rng(number))
        assert shrunk is image or 8 <= len(shrunk) <= 32
        heights += [len(shrunk)] if shrunk is not image else []
    assert 0.26 < len(heights) / 2000 < 0.34
    assert 0.42 < np.mean(np.array(heights) < 16) < 0.58  # an octave of the two
    small = image[:8]
    assert all(degrade(small, np.random.default_rng(number)) is small for number in range(20))
    assert degradation(None, "here") is None


@given(st.integers(1, 40), st.integers(0, 40), st.integers(0, 2**31))
def test_heights_stay_in_their_range(lowest, more, seed):
    assert lowest <= draw_height(np.random.default_rng(seed), lowest, lowest + more) <= lowest + more


def test_every_height_is_drawn():
    assert {draw_height(np.random.default_rng(seed), 8, 11) for seed in range(100)} == {8, 9, 10, 11}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"synthesizer": "photografic"}, "did you mean 'photographic'"),
        ({"settings": PHOTOGRAPHIC | {"blurr": [1, 2]}}, "(?s)blurr.*training.low_resolution.settings"),
    ],
)
def test_a_wrong_synthesizer_is_refused(changes, message):
    with pytest.raises(ParameterError, match=message):
        degradation(low_resolution(**changes), "training.low_resolution")


def test_a_range_that_descends_is_refused():
    with pytest.raises(ValueError, match="lower end"):
        low_resolution(heights=[12, 8])


OFF = {"mirror": False, "shift": 0, "scale": 0, "rotation": 0, "brightness": 0, "contrast": 0, "gamma": None}


def varied(image, **chosen):
    """What becomes of an image by a hundred seeds."""
    augment = Augmentation(AugmentationSettings(**(OFF | chosen)))
    return [augment(image, seed) for seed in range(100)]


def a_face():
    return decode(face_table()["image"][0].as_py())


def test_without_any_variation_a_face_stays_as_it_is():
    image = a_face()
    assert all(np.array_equal(seen, image) for seen in varied(image))
    train, _, _ = labelled_of(face_table(), SIZE, augmentation=None)
    seen, _ = train.training_batch([(0, 5)])
    assert np.array_equal(seen[0], train.images.resized(image))


def test_a_mirrored_face_is_mirrored_and_nothing_else():
    image = a_face()
    seen = [np.array_equal(made, image[:, ::-1]) for made in varied(image, mirror=True)]
    others = [np.array_equal(made, image) for made in varied(image, mirror=True)]
    assert 30 < sum(seen) < 70 and sum(seen) + sum(others) == 100


@pytest.mark.parametrize("name", ["shift", "scale", "rotation", "brightness", "contrast", "gamma", "blur"])
def test_each_variation_can_be_had_alone(name):
    image = a_face()
    chosen = {"shift": 0.2, "scale": 0.3, "rotation": 30, "brightness": 0.3, "contrast": 0.5, "gamma": [0.5, 2.0]}
    chosen["blur"] = [1.0, 2.0]
    flat, seen = np.full((24, 24, 3), 90, np.uint8), varied(image, **{name: chosen[name]})
    assert any(not np.array_equal(made, image) for made in seen)
    moves = name in (
        "shift",
        "scale",
        "rotation",
        "blur",
    )  # what moves or blurs leaves an even picture alone, what lights does not
    assert all(np.array_equal(made, flat) for made in varied(flat, **{name: chosen[name]})) == moves
    assert all(made.shape == image.shape and made.dtype == np.uint8 for made in seen)


def test_the_default_variations_are_what_they_were():
    """The default run's figures are made with these: the same draws, the same outcome."""
    image, former = a_face(), A.Compose(
        [
            A.HorizontalFlip(p=0.5),
            A.Affine(translate_percent=(-1 / 16, 1 / 16), scale=(0.92, 1.08), rotate=(-8, 8),
                     border_mode=cv2.BORDER_REPLICATE, p=0.9),
            A.RandomBrightnessContrast(0.25, 0.25, p=0.6),
            A.RandomGamma((70, 140), p=0.3),
        ]
    )  # fmt: skip
    for seed in range(50):
        former.set_random_state(np.random.default_rng(seed), random.Random(seed))
        assert np.array_equal(Augmentation()(image, seed), former(image=image)["image"])


def test_augmentations_are_drawn_apart():
    """Mirrored or not, a face is as likely to be lit otherwise."""
    image = np.tile(np.linspace(40, 120, 32, dtype=np.uint8)[None, :, None], (32, 1, 3))
    augment, lit = Augmentation(), {True: [], False: []}
    for seed in range(600):
        seen = augment(image, seed).astype(float)
        assert np.array_equal(seen, augment(image, seed))
        lit[seen[:, -4:].mean() < seen[:, :4].mean()].append(abs(seen[16, 16, 0] - 80) > 8)
    shares = {mirrored: np.mean(values) for mirrored, values in lit.items()}
    assert abs(len(lit[True]) - 300) < 60 and abs(shares[True] - shares[False]) < 0.12
    assert 0.4 < shares[True] < 0.8
