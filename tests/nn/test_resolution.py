"""Resizing, and shrinking and back, against numpy's and OpenCV's kernels."""

import cv2
import numpy as np
import pytest
import torch

from lrfr.core import resampling
from lrfr.errors import ParameterError
from lrfr.nn.resolution import at_resolution, check_sides, to_input, to_size

PIXELS = np.random.default_rng(0).integers(0, 256, (18, 14, 3), dtype=np.uint8)
IMAGES = torch.from_numpy(PIXELS).permute(2, 0, 1)[None].float() / 255
HALF = 0.501 / 255  # grey levels are rounded in numpy


def picture(images):
    return images[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(18, 14), (40, 33), (7, 9), (30, 5)])
def test_faces_are_resized_by_pillows_kernels(size, interpolation):
    found = picture(to_size(IMAGES, size, interpolation))
    expected = getattr(resampling, interpolation)(PIXELS, *size) / 255
    assert np.abs(found - expected).max() <= HALF
    assert found.min() >= 0 and found.max() <= 1


def test_bytes_stay_bytes():
    images = torch.from_numpy(PIXELS).permute(2, 0, 1)[None]
    assert to_size(images, (30, 30), "bicubic").max() > 200


def test_bilinear_is_what_is_not_asked_otherwise():
    assert torch.equal(to_size(IMAGES, (40, 33)), to_size(IMAGES, (40, 33), "bilinear"))
    assert torch.equal(at_resolution(IMAGES, 7), at_resolution(IMAGES, 7, "bilinear", "bilinear"))


@pytest.mark.parametrize("down", ["bilinear", "bicubic"])
@pytest.mark.parametrize("up", ["bilinear", "bicubic"])
def test_each_way_has_its_own_kernel(down, up):
    small = getattr(resampling, down)(PIXELS, 9, 7)
    expected = {
        "bilinear": cv2.resize(small.astype(np.float32), (14, 18), interpolation=cv2.INTER_LINEAR),
        "bicubic": resampling.bicubic(small, 18, 14).astype(np.float32),
    }[up]
    found = picture(at_resolution(IMAGES, 7, down, up))
    assert np.abs(found * 255 - expected).max() < 1.5
    assert found.min() >= 0 and found.max() <= 1


def test_what_is_not_larger_stays():
    assert at_resolution(IMAGES, 14, "bicubic", "bicubic") is IMAGES


def test_a_side_that_makes_nothing_smaller_is_refused():
    assert check_sides([12, 24], (48, 40), "sides") == (12, 24)
    assert check_sides([], (48, 40), "sides") == ()
    with pytest.raises(ParameterError, match="'sides' has 40 px"):
        check_sides([12, 40], (48, 40), "sides")


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(112, 112), (20, 17), (64, 30), (40, 36), (300, 211)])
def test_a_network_gets_the_same_without_torch(size, interpolation):
    image = (np.random.default_rng(0).random((*size, 3)) > 0.5).astype(np.uint8) * 255  # bicubic overshoots everywhere
    given = resampling.to_input(image, 40, 36, interpolation)
    assert given.dtype == np.float32 and given.shape == (3, 40, 36)
    np.testing.assert_allclose(given, to_input(image, (40, 36), interpolation)[0].numpy(), atol=1e-5)
