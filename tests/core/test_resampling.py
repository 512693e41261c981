import numpy as np
import pytest
from PIL import Image

from lrfr.core.resampling import bicubic, bicubic_to_height


@pytest.mark.parametrize("size", [(20, 16), (9, 9), (33, 21), (1, 1)])
def test_shrinks_as_pillow_does(size):
    image = np.random.default_rng(0).integers(60, 200, (100, 80, 3), dtype=np.uint8)
    theirs = Image.fromarray(image).resize(size[::-1], Image.Resampling.BICUBIC)
    assert np.abs(bicubic(image, *size).astype(int) - np.asarray(theirs)).max() <= 1


def test_a_fine_pattern_fades_instead_of_aliasing():
    stripes = np.zeros((96, 96, 3), np.uint8)
    stripes[:, ::2] = 255
    small = bicubic(stripes, 20, 20)[2:-2, 2:-2]
    assert np.abs(small.astype(int) - 127).max() < 12


def test_the_same_size_changes_nothing():
    image = np.random.default_rng(1).integers(0, 256, (17, 13, 3), dtype=np.uint8)
    assert np.array_equal(bicubic(image, 17, 13), image)


def test_aspect_follows_the_height():
    assert bicubic_to_height(np.zeros((150, 120, 3), np.uint8), 20).shape == (20, 16, 3)
    assert bicubic_to_height(np.zeros((150, 2, 3), np.uint8), 6).shape == (6, 1, 3)
