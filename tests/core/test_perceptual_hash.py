import cv2
import imagehash
import numpy as np
import pytest
from PIL import Image
from scipy.fft import dct

from lrfr.core.perceptual_hash import SIDE, hashes, low_frequencies


def bits(frequencies: np.ndarray) -> int:
    return int(hashes(frequencies[None])[0])


def published(grey: np.ndarray) -> int:
    return int(str(imagehash.phash(Image.fromarray(grey))), 16)


@pytest.mark.parametrize("size", [(12, 10), (24, 20), (32, 32), (112, 96), (250, 250)])
def test_it_is_imagehashs_but_for_rounding_in_between(size):
    rng = np.random.default_rng(0)
    turned = []
    for _ in range(50):
        texture = cv2.resize(rng.uniform(20, 230, (9, 9)), size, interpolation=cv2.INTER_CUBIC)
        grey = np.clip(texture, 0, 255).astype(np.uint8)
        turned.append((bits(low_frequencies(grey)) ^ published(grey)).bit_count())
    assert np.mean(turned) < 1 and max(turned) <= 4


def test_frequencies_are_those_of_the_cosine_transform():
    grey = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE)).astype(np.uint8)
    naive = dct(dct(grey.astype(float), axis=0), axis=1)[:8, :8].ravel() / 4
    assert low_frequencies(grey) == pytest.approx(naive, rel=1e-4, abs=0.05)


def test_a_flat_picture_has_one_hash_whatever_its_size_and_light():
    flat = {bits(low_frequencies(np.full((side, side), light, np.uint8))) for side in (9, 20, 77) for light in (3, 200)}
    assert flat == {1 << 63}
