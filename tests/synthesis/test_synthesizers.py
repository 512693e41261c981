from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import cv2
import numpy as np
import pytest
import yaml

from lrfr import synthesis
from lrfr.config import settings
from lrfr.core.image_statistics import noise, sharpness
from lrfr.core.resampling import bicubic_to_height
from lrfr.errors import ParameterError

LEARNED = {"cyclegan", "high_to_low", "mrgan"}
NAMES = sorted({module.name for module in iter_modules(synthesis.__path__)} - LEARNED)
LUMA = np.array([0.299, 0.587, 0.114])
STILL = {"blur": [0.2] * 2, "motion": [0.0] * 2, "noise": [0.0] * 2, "exposure": [0.0] * 2, "jpeg_quality": [100] * 2}
CAMERA = STILL | {"blur": [0.2, 0.9], "motion": [0.0, 2.0], "noise": [0.005, 0.03], "jpeg_quality": [45, 95]}
KERNELS = [
    (kernel, antialiased) for kernel in ("bilinear", "bicubic") for antialiased in (True, False)
] + [("nearest", False), ("area", True)]  # fmt: skip


@pytest.fixture
def portrait():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:150, :120]
    stripes = 128 + 60 * np.sin(x / 6)[..., None] * np.array([1, 0.8, 0.6]) + 20 * np.cos(y / 9)[..., None]
    return np.clip(stripes + rng.normal(0, 3, stripes.shape), 0, 255).astype(np.uint8)


def make(name, image, height, seed=0, **changed):
    module = import_module(f"lrfr.synthesis.{name}")
    params = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text(encoding="utf-8"))
    usual = {"camera": CAMERA} | params["synthesizers"]
    chosen = settings(usual[name] | changed, module.Settings, name)
    return module.synthesize(image, height, chosen, np.random.default_rng(seed))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("height", [1, 6, 20, 150])
def test_height_is_met_and_aspect_kept(name, height, portrait):
    small = make(name, portrait, height)
    assert small.dtype == np.uint8
    assert small.shape == (height, max(1, round(120 * height / 150)), 3)


@pytest.mark.parametrize("name", NAMES)
def test_one_generator_state_gives_one_image_and_the_portrait_is_left_alone(name, portrait):
    before = portrait.copy()
    assert np.array_equal(make(name, portrait, 20), make(name, portrait, 20))
    assert np.array_equal(portrait, before)


@pytest.mark.parametrize("name", NAMES)
def test_light_and_colours_stay(name, portrait):
    np.testing.assert_allclose(make(name, portrait, 20).mean((0, 1)), portrait.mean((0, 1)), atol=4)


def test_each_strength_of_the_photographic_model_does_its_part(portrait):
    mild = {"blur": [0.2, 0.2], "noise": [0.0, 0.0], "jpeg_quality": [100, 100]}
    clean = make("photographic", portrait, 30, **mild) @ LUMA
    blurred = make("photographic", portrait, 30, **mild | {"blur": [1.5, 1.5]}) @ LUMA
    noisy = make("photographic", portrait, 30, **mild | {"noise": [0.05, 0.05]}) @ LUMA
    squeezed = make("photographic", portrait, 30, **mild | {"jpeg_quality": [5, 5]}) @ LUMA
    assert sharpness(blurred) < sharpness(clean) - 0.5
    assert noise(noisy) > noise(clean) + 3
    assert np.abs(squeezed - clean).mean() > 3
    assert np.abs(clean - make("downsample", portrait, 30) @ LUMA).mean() < 2


def test_each_strength_of_the_camera_does_its_part(portrait):
    clean = make("camera", portrait, 30, **STILL) @ LUMA
    blurred = make("camera", portrait, 30, **STILL | {"blur": [1.5, 1.5]}) @ LUMA
    moved = make("camera", portrait, 30, **STILL | {"motion": [4.0, 4.0]}) @ LUMA
    noisy = make("camera", portrait, 30, **STILL | {"noise": [0.05, 0.05]}) @ LUMA
    bright = make("camera", portrait, 30, **STILL | {"exposure": [1.0, 1.0]}) @ LUMA
    squeezed = make("camera", portrait, 30, **STILL | {"jpeg_quality": [5, 5]}) @ LUMA
    assert sharpness(blurred) < sharpness(clean) - 0.5
    assert sharpness(moved) < sharpness(clean) - 0.1
    assert noise(noisy) > noise(clean) + 3
    assert bright.mean() == pytest.approx(clean.mean() * 2 ** (1 / 2.2), rel=0.02)  # no value is near white
    assert np.abs(squeezed - clean).mean() > 3
    assert np.abs(clean - make("downsample", portrait, 30, kernel="area") @ LUMA).mean() < 2


def test_gain_amplifies_the_noise_that_came_before_it():
    grey = np.full((120, 100, 3), 60, np.uint8)
    noisy = STILL | {"noise": [0.05, 0.05]}
    dim, bright = (make("camera", grey, 60, **noisy | {"exposure": [ev, ev]}) @ LUMA for ev in (0.0, 2.0))
    assert noise(bright) == pytest.approx(noise(dim) * 2 ** (2 / 2.2), rel=0.1)


@pytest.mark.parametrize("angle", [0.0, 0.4, np.pi / 2, 2.5])
def test_a_moving_face_is_averaged_along_a_line(angle):
    from lrfr.synthesis.camera import motion_kernel

    kernel = motion_kernel(9.0, angle)
    assert kernel.sum() == pytest.approx(1, abs=1e-6)
    y, x = np.mgrid[: len(kernel), : len(kernel)] - len(kernel) // 2
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    assert abs((kernel * along).sum()) < 0.1 and abs((kernel * across).sum()) < 0.1
    assert (kernel * along**2).sum() == pytest.approx(9**2 / 12, rel=0.35)  # a line's variance
    assert (kernel * across**2).sum() < 0.5


def test_the_fine_grid_shows_what_the_whole_picture_would(portrait):
    """The filters on the HR face itself, one after the other, as a naive camera has them."""
    from lrfr.synthesis.camera import motion_kernel

    height, blur, motion = 24, 0.8, 3.0
    found = make("camera", portrait, height, **STILL | {"blur": [blur] * 2, "motion": [motion] * 2})
    rng = np.random.default_rng(0)
    rng.random(4)
    scale = len(portrait) / height
    seen = cv2.GaussianBlur(portrait.astype(np.float32), (0, 0), blur * scale, borderType=cv2.BORDER_REFLECT)
    kernel = motion_kernel(motion * scale, np.pi * rng.random())
    light = cv2.filter2D(seen, -1, kernel, borderType=cv2.BORDER_REFLECT)
    expected = cv2.resize(light, found.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(found - expected).mean() < 0.1 * expected.std()


@pytest.mark.parametrize(("kernel", "antialiased"), KERNELS)
def test_only_antialiased_kernels_let_no_fine_pattern_through(kernel, antialiased):
    fine = np.tile(np.array([0, 255], np.uint8)[:, None, None], (60, 120, 3))  # lines one pixel high
    small = make("downsample", fine, 24, kernel=kernel) if antialiased else make(
        "downsample", fine, 24, kernel=kernel, **({} if kernel == "nearest" else {"antialiased": False}))  # fmt: skip
    assert (small.std() < 40) == antialiased


def test_a_kernel_is_not_asked_for_what_it_cannot_do(portrait):
    for kernel, antialiased in (("nearest", True), ("area", False)):
        with pytest.raises(ParameterError, match="antialiased: leave it out"):
            make("downsample", portrait, 20, kernel=kernel, antialiased=antialiased)
    plain = make("downsample", portrait, 20)
    assert np.array_equal(plain, bicubic_to_height(portrait, 20))
    assert np.array_equal(plain, make("downsample", portrait, 20, kernel="bicubic", antialiased=True))


def test_strengths_are_drawn_anew_for_each_face(portrait):
    assert not np.array_equal(make("photographic", portrait, 20, seed=1), make("photographic", portrait, 20, seed=2))
