import cv2
import numpy as np
import pytest

from lrfr.core.fidelity import psnr, ssim


@pytest.fixture
def pairs() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    originals = rng.uniform(size=(3, 3, 17, 14))
    return np.clip(originals + rng.normal(0, [[[[0.02]]], [[[0.1]]], [[[0.3]]]], originals.shape), 0, 1), originals


def test_psnr_is_that_of_opencv(pairs: tuple[np.ndarray, np.ndarray]) -> None:
    images, originals = pairs
    expected = [cv2.PSNR(one, other, 1.0) for one, other in zip(images, originals, strict=True)]
    assert psnr(images, originals) == pytest.approx(expected, abs=1e-6)


def test_ssim_is_the_mean_over_windows_of_the_published_formula(pairs: tuple[np.ndarray, np.ndarray]) -> None:
    images, originals = pairs
    offsets = np.arange(11) - 5
    window = np.exp(-(offsets[:, None] ** 2 + offsets[None, :] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    for image, original, found in zip(images, originals, ssim(images, originals), strict=True):
        values = []
        for x, y in zip(image, original, strict=True):
            for top in range(17 - 10):
                for left in range(14 - 10):
                    a, b = (plane[top : top + 11, left : left + 11] for plane in (x, y))
                    mean_a, mean_b = (window * a).sum(), (window * b).sum()
                    variance_a, variance_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
                    covariance = (window * (a - mean_a) * (b - mean_b)).sum()
                    luminance = (2 * mean_a * mean_b + 1e-4) / (mean_a**2 + mean_b**2 + 1e-4)
                    values.append(luminance * (2 * covariance + 9e-4) / (variance_a + variance_b + 9e-4))
        assert found == pytest.approx(np.mean(values), abs=1e-9)


def test_equal_images_are_as_true_as_can_be(pairs: tuple[np.ndarray, np.ndarray]) -> None:
    _, originals = pairs
    flat = np.zeros((1, 3, 12, 12))
    for images in (originals, flat):
        assert psnr(images, images) == pytest.approx(100)
        assert ssim(images, images) == pytest.approx(1)


def test_more_noise_is_less_true(pairs: tuple[np.ndarray, np.ndarray]) -> None:
    for measure in (psnr, ssim):
        found = measure(*pairs)
        assert found[0] > found[1] > found[2]
