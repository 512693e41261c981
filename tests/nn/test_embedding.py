import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from lrfr.config import Fusion
from lrfr.errors import ImageError
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.embedding import BATCH, embed_images, prefetch

RNG = np.random.default_rng(0)
IMAGES = [RNG.integers(0, 256, (9 + number % 30, 12 + number % 20, 3), dtype=np.uint8) for number in range(7)]


@pytest.fixture(scope="module")
def embedder():
    torch.manual_seed(0)
    architecture = Architecture(
        backbone="lrfr_ir18", width=0.125, embedding_dim=8, input_size=[32, 24], dropout=0.1,
        preprocessing={"colour": "BGR", "mean": [0.3, 0.4, 0.5], "std": [0.2, 0.3, 0.4]},
    )  # fmt: skip
    return Embedder(architecture).eval()


def alone(embedder, image):
    """One image through the network by hand."""
    with torch.inference_mode():
        return embedder(torch.from_numpy(image.transpose(2, 0, 1).copy())[None].float() / 255).numpy()[0]


def test_images_of_any_size_are_embedded_in_their_order(embedder):
    many = IMAGES * (BATCH // len(IMAGES) + 1)  # more than a batch
    found = embed_images(embedder, many)
    assert (found.dtype, found.shape) == (np.float32, (len(many), 8))
    expected = np.stack([alone(embedder, image) for image in IMAGES])
    assert np.allclose(found, np.tile(expected, (len(many) // len(IMAGES), 1)), rtol=1e-4, atol=1e-4)


def test_nothing_gives_no_rows(embedder):
    assert embed_images(embedder, []).shape == (0, 8)
    assert embed_images(embedder, [], "mirror_concat").shape == (0, 16)


def test_fusions_are_the_published_ones(embedder):
    own = embed_images(embedder, IMAGES)
    mirrored = embed_images(embedder, [image[:, ::-1] for image in IMAGES])
    assert not np.allclose(own, mirrored, rtol=1e-2)
    found = {fusion: embed_images(embedder, IMAGES, fusion) for fusion in Fusion.__args__}
    assert np.array_equal(found["none"], own)
    assert np.allclose(found["mirror_sum"], own + mirrored, rtol=1e-4, atol=1e-4)
    assert np.allclose(found["mirror_concat"], np.concatenate([own, mirrored], axis=1), rtol=1e-4, atol=1e-4)


def test_the_average_weighted_by_norms_has_the_direction_of_the_sum(embedder):
    """AdaFace's fusion, step by step: unit embeddings weighted by their norms, then normalised."""
    pair = [embed_images(embedder, images) for images in (IMAGES, [image[:, ::-1] for image in IMAGES])]
    norms = [np.linalg.norm(of, axis=1, keepdims=True) for of in pair]
    weighted = sum(of / norm * (norm / sum(norms)) for of, norm in zip(pair, norms, strict=True))
    fused = embed_images(embedder, IMAGES, "mirror_sum")
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
def test_what_is_no_rgb_picture_is_refused(embedder, image):
    with pytest.raises(ImageError, match=r"uint8, RGB is needed(.|\n)*image 1(.|\n)*lrfr.decoding.decode"):
        embed_images(embedder, [IMAGES[0], image])


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
