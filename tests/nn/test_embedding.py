import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from lrfr.config import Fusion
from lrfr.core.resampling import view
from lrfr.errors import ImageError
from lrfr.faces import encode_png
from lrfr.nn.alignment import align
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.embedding import BATCH, Face, embed_faces, embed_images, prefetch
from lrfr.nn.framing import centred
from lrfr.nn.landmarks.network import CNN6
from lrfr.nn.landmarks.prediction import predict
from lrfr.nn.model_file import Facts, Model
from tests.nn.landmarks.marked import SHAPE

RNG = np.random.default_rng(0)
IMAGES = [RNG.integers(0, 256, (9 + number % 30, 12 + number % 20, 3), dtype=np.uint8) for number in range(7)]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    architecture = Architecture(
        backbone="lrfr_ir18", width=0.125, embedding_dim=8, input_size=[32, 24], dropout=0.1,
        preprocessing={"colour": "BGR", "mean": [0.3, 0.4, 0.5], "std": [0.2, 0.3, 0.4]},
    )  # fmt: skip
    return Model(Embedder(architecture).eval())


def alone(model, image):
    """One image through the network by hand."""
    with torch.inference_mode():
        return model.embedder(torch.from_numpy(image.transpose(2, 0, 1).copy())[None].float() / 255).numpy()[0]


def test_images_of_any_size_are_embedded_in_their_order(model):
    many = IMAGES * (BATCH // len(IMAGES) + 1)  # more than a batch
    found = embed_images(model, many)
    assert (found.dtype, found.shape) == (np.float32, (len(many), 8))
    expected = np.stack([alone(model, image) for image in IMAGES])
    assert np.allclose(found, np.tile(expected, (len(many) // len(IMAGES), 1)), rtol=1e-4, atol=1e-4)


def test_nothing_gives_no_rows(model):
    assert embed_images(model, []).shape == (0, 8)
    assert embed_images(model, [], "mirror_concat").shape == (0, 16)


def test_fusions_are_the_published_ones(model):
    own = embed_images(model, IMAGES)
    mirrored = embed_images(model, [image[:, ::-1] for image in IMAGES])
    assert not np.allclose(own, mirrored, rtol=1e-2)
    found = {fusion: embed_images(model, IMAGES, fusion) for fusion in Fusion.__args__}
    assert np.array_equal(found["none"], own)
    assert np.allclose(found["mirror_sum"], own + mirrored, rtol=1e-4, atol=1e-4)
    assert np.allclose(found["mirror_concat"], np.concatenate([own, mirrored], axis=1), rtol=1e-4, atol=1e-4)


def test_the_average_weighted_by_norms_has_the_direction_of_the_sum(model):
    """AdaFace's fusion, step by step: unit embeddings weighted by their norms, then normalised."""
    pair = [embed_images(model, images) for images in (IMAGES, [image[:, ::-1] for image in IMAGES])]
    norms = [np.linalg.norm(of, axis=1, keepdims=True) for of in pair]
    weighted = sum(of / norm * (norm / sum(norms)) for of, norm in zip(pair, norms, strict=True))
    fused = embed_images(model, IMAGES, "mirror_sum")
    unit = [of / np.linalg.norm(of, axis=1, keepdims=True) for of in (weighted, fused)]
    assert np.allclose(*unit, atol=1e-4)


@pytest.mark.parametrize(
    "image",
    [
        IMAGES[0].astype(np.float32),
        IMAGES[0].astype(np.float32) / 255,
        IMAGES[0][..., 0],
        IMAGES[0].transpose(2, 0, 1),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_what_is_no_rgb_picture_is_refused(model, image):
    with pytest.raises(ImageError, match=r"uint8, RGB is needed(.|\n)*image 1(.|\n)*lrfr.decoding.decode"):
        embed_images(model, [IMAGES[0], image])


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_work_is_done_ahead_in_order_and_leaves_torchs_threads_alone(two_threads):
    seen = set()

    def work(number):
        seen.add(threading.get_ident())
        return number, torch.get_num_threads()

    results = prefetch(work, iter([[0, 1, 2], [], [3], [4, 5]]))
    first = next(results)
    assert torch.get_num_threads() == 2
    assert [[number for number, _ in batch] for batch in [first, *results]] == [[0, 1, 2], [], [3], [4, 5]]
    assert {inside for _, inside in first} == {1}
    assert threading.get_ident() not in seen
    with ThreadPoolExecutor(1) as afterwards:
        assert (torch.get_num_threads(), afterwards.submit(torch.get_num_threads).result()) == (2, 2)


def test_an_error_in_a_thread_is_the_callers():
    with pytest.raises(ZeroDivisionError):
        list(prefetch(lambda number: 1 // number, [[1], [0]]))


def faces_of_images(images, landmarks=None):
    points = [None] * len(images) if landmarks is None else landmarks
    return [
        Face(f"face {number}", encode_png(image), of)
        for number, (image, of) in enumerate(zip(images, points, strict=True))
    ]


@pytest.fixture(scope="module")
def aligning(model):
    """A model that takes aligned faces, with a network that finds them where faces are."""
    torch.manual_seed(0)
    finder = CNN6(0.125, torch.from_numpy(SHAPE.ravel().astype(np.float32) * 64)).eval()
    with torch.no_grad():
        finder.output.weight *= 0.1
    return dataclasses.replace(model, facts=Facts(presentation="arcface_112"), landmarks=finder)


def test_faces_come_out_in_the_order_of_their_batches_and_missing_ones_are_zero(model):
    faces = faces_of_images(IMAGES)
    faces[3] = Face("lost", None)
    found = embed_faces(model, [faces[:2], [], faces[2:]])
    assert set(found) == {"face_id", "missing", "embedding"}
    assert found["face_id"].tolist() == [face.face_id for face in faces]
    assert found["missing"].tolist() == [number == 3 for number in range(7)]
    assert (found["embedding"].dtype, found["embedding"].shape) == (np.float32, (7, 8))
    assert not found["embedding"][3].any()
    there = [0, 1, 2, 4, 5, 6]
    expected = embed_images(model, [IMAGES[row] for row in there])
    assert np.allclose(found["embedding"][there], expected, rtol=1e-4, atol=1e-4)


def test_views_stand_beside_the_faces_as_they_are(model):
    found = embed_faces(model, [faces_of_images(IMAGES)], ["mirror", "side_8"], "mirror_concat")
    assert set(found) == {"face_id", "missing", "embedding", "embedding_mirror", "embedding_side_8"}
    for column, name in (("embedding_mirror", "mirror"), ("embedding_side_8", "side_8")):
        expected = embed_images(model, [view(image, name) for image in IMAGES], "mirror_concat")
        assert found[column].shape == (7, 16)
        assert np.allclose(found[column], expected, rtol=1e-4, atol=1e-4)


def test_no_faces_give_no_rows(model, aligning):
    assert {name: values.shape for name, values in embed_faces(model, [], ["mirror"]).items()} == {
        "face_id": (0,), "missing": (0,), "embedding": (0, 8), "embedding_mirror": (0, 8)
    }  # fmt: skip
    assert embed_faces(aligning, [])["unaligned"].shape == (0,)


def test_a_model_that_takes_aligned_faces_is_given_them(aligning):
    """By their known landmarks; else by those that its own network finds, in every view anew."""
    known = [(SHAPE * image.shape[1::-1] + 0.5).ravel().tolist() for image in IMAGES]
    known[2] = None
    found = embed_faces(aligning, [faces_of_images(IMAGES, known)], ["side_8"])
    points = [np.reshape(of, (5, 2)) if of else predict(aligning.landmarks, [image])[0]
              for of, image in zip(known, IMAGES, strict=True)]  # fmt: skip
    as_cropped = dataclasses.replace(aligning, facts=Facts(), landmarks=None)
    aligned = [align(image, of) for image, of in zip(IMAGES, points, strict=True)]
    assert np.allclose(found["embedding"], embed_images(as_cropped, aligned), rtol=1e-3, atol=1e-3)
    small = [view(image, "side_8") for image in IMAGES]
    seen = [align(image, of) for image, of in zip(small, predict(aligning.landmarks, small), strict=True)]
    assert np.allclose(found["embedding_side_8"], embed_images(as_cropped, seen), rtol=1e-3, atol=1e-3)
    assert not found["unaligned"].any()
    assert np.allclose(embed_images(aligning, IMAGES[2:3]), found["embedding"][2:3], rtol=1e-3, atol=1e-3)


def test_a_mirror_image_is_aligned_by_the_known_landmarks_mirrored(aligning):
    points = [SHAPE * image.shape[1::-1] + [0.5, 0.2] for image in IMAGES]
    known = [of.ravel().tolist() for of in points]
    found = embed_faces(aligning, [faces_of_images(IMAGES, known)], ["mirror"])
    as_cropped = dataclasses.replace(aligning, facts=Facts(), landmarks=None)
    aligned = [
        align(image[:, ::-1], (of * [-1, 1] + [image.shape[1], 0])[[1, 0, 2, 4, 3]])
        for image, of in zip(IMAGES, points, strict=True)
    ]
    assert np.allclose(found["embedding_mirror"], embed_images(as_cropped, aligned), rtol=1e-3, atol=1e-3)
    unknown = embed_faces(aligning, [faces_of_images(IMAGES)], ["mirror"])["embedding_mirror"]
    assert np.allclose(unknown, embed_images(aligning, [image[:, ::-1] for image in IMAGES]), rtol=1e-3, atol=1e-3)


def test_faces_that_cannot_be_aligned_are_reported_and_missing_ones_are_not(aligning):
    known = [(SHAPE * image.shape[1::-1]).ravel().tolist() for image in IMAGES]
    known[1] = [3.0] * 10  # all in one place
    faces = faces_of_images(IMAGES, known)
    faces[4] = Face("lost", None)
    found = embed_faces(aligning, [faces[:3], faces[3:]])
    assert found["unaligned"].tolist() == [number == 1 for number in range(7)]
    assert found["missing"].tolist() == [number == 4 for number in range(7)]
    as_cropped = dataclasses.replace(aligning, facts=Facts(), landmarks=None)
    expected = embed_images(as_cropped, [centred(IMAGES[1], 112)])
    assert np.allclose(found["embedding"][1], expected[0], rtol=1e-3, atol=1e-3)


def test_an_image_that_cannot_be_decoded_is_named(model):
    with pytest.raises(ImageError, match="face strange"):
        embed_faces(model, [[Face("strange", b"no image")]])
