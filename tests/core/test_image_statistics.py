import cv2
import numpy as np
import pytest

from lrfr.core import image_statistics as statistics


def grey(value, shape=(24, 20)):
    return np.full((*shape, 3), value, np.uint8)


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (9, 2), (32, 25)])
@pytest.mark.parametrize("value", [0, 90, 255])
def test_a_flat_image_has_light_and_nothing_else(shape, value):
    found = statistics.describe(grey(value, shape))
    assert tuple(found) == statistics.STATISTICS
    assert (found["height"], found["width"], found["aspect"]) == (shape[0], shape[1], shape[1] / shape[0])
    assert found["brightness"] == pytest.approx(value)
    for name in ("contrast", "saturation", "sharpness", "noise", "high_frequency"):
        assert found[name] == pytest.approx(0, abs=1e-6)


def test_colour_counts_as_saturation():
    red = grey(0)
    red[..., 0] = 200
    assert statistics.saturation(red) == 1
    assert statistics.saturation(red + np.uint8(50)) == pytest.approx(0.8)


@pytest.mark.parametrize("sigma", [2, 5, 12])
def test_noise_is_measured_in_its_own_unit(sigma):
    luma = 120 + np.random.default_rng(0).normal(0, sigma, (400, 400))
    assert statistics.noise(luma) == pytest.approx(sigma, rel=0.03)


def test_sharpness_is_the_laplacians_variance():
    luma = np.random.default_rng(0).uniform(0, 255, (30, 20))
    laplacian = cv2.Laplacian(luma, cv2.CV_64F)[1:-1, 1:-1]
    assert statistics.sharpness(luma) == pytest.approx(np.log10(1 + laplacian.var()))


def test_blur_takes_high_frequencies_and_sharpness():
    luma = np.random.default_rng(0).uniform(0, 255, (32, 26))
    blurred = cv2.GaussianBlur(luma, (0, 0), 1.5)
    assert statistics.high_frequency(luma) > 0.5
    assert statistics.high_frequency(blurred) < 0.05
    assert statistics.sharpness(blurred) < statistics.sharpness(luma) - 1


@pytest.mark.parametrize("shift", range(0, 8, 3))
def test_blocks_of_eight_are_seen_wherever_they_start(shift):
    luma = np.random.default_rng(0).uniform(118, 122, (64, 64))
    blocks = luma + np.kron(np.random.default_rng(1).uniform(-20, 20, (8, 8)), np.ones((8, 8)))
    assert statistics.blockiness(luma[shift:32, shift:32]) < 2
    assert statistics.blockiness(blocks[shift : shift + 32, shift : shift + 32]) > 3
