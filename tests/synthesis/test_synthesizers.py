from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import numpy as np
import pytest
import yaml

from lrfr import synthesis
from lrfr.config import settings
from lrfr.core.image_statistics import noise, sharpness
from lrfr.errors import ParameterError

LEARNED = ("cyclegan", "high_to_low", "mrgan")
NAMES = sorted({module.name for module in iter_modules(synthesis.__path__)} - set(LEARNED))
CAMERA = {"blur": [0.2, 0.9], "motion": [0, 1.5], "exposure": [0, 0], "noise": [0.005, 0.03], "jpeg_quality": [45, 95]}
STILL = {"blur": [0.2, 0.2], "motion": [0, 0], "exposure": [0, 0], "noise": [0, 0], "jpeg_quality": [100, 100]}
LUMA = np.array([0.299, 0.587, 0.114])


@pytest.fixture
def portrait():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:150, :120]
    stripes = 128 + 60 * np.sin(x / 6)[..., None] * np.array([1, 0.8, 0.6]) + 20 * np.cos(y / 9)[..., None]
    return np.clip(stripes + rng.normal(0, 3, stripes.shape), 0, 255).astype(np.uint8)


def make(name, image, height, seed=0, **changed):
    module = import_module(f"lrfr.synthesis.{name}")
    params = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text(encoding="utf-8"))
    known = params["synthesizers"] | {"camera": CAMERA}
    chosen = settings(known[name] | changed, module.Settings, name)
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


def test_strengths_are_drawn_anew_for_each_face(portrait):
    assert not np.array_equal(make("photographic", portrait, 20, seed=1), make("photographic", portrait, 20, seed=2))


def test_each_strength_of_the_camera_does_its_part(portrait):
    clean = make("camera", portrait, 30, **STILL) @ LUMA
    assert np.abs(clean - make("downsample", portrait, 30, kernel="area") @ LUMA).mean() < 3
    assert sharpness(make("camera", portrait, 30, **STILL | {"blur": [1.5, 1.5]}) @ LUMA) < sharpness(clean) - 0.5
    moved = [make("camera", portrait, 30, seed, **STILL | {"motion": [8, 8]}) @ LUMA for seed in range(6)]
    assert min(map(sharpness, moved)) < sharpness(clean) - 0.5, "in the direction of the stripes nothing is lost"
    assert (make("camera", portrait, 30, **STILL | {"exposure": [0.2, 0.2]}) @ LUMA).mean() > clean.mean() + 20
    assert noise(make("camera", portrait, 30, **STILL | {"noise": [0.05, 0.05]}) @ LUMA) > noise(clean) + 3
    squeezed = make("camera", portrait, 30, **STILL | {"jpeg_quality": [5, 5]}) @ LUMA
    assert np.abs(squeezed - clean).mean() > 3


def test_the_camera_draws_anew_for_each_face(portrait):
    assert not np.array_equal(make("camera", portrait, 20, seed=1), make("camera", portrait, 20, seed=2))


def test_the_noise_comes_after_the_exposure(portrait):
    """Light is dimmed before the sensor adds its noise: a dark face is as noisy as a bright one."""
    noises = [
        noise(make("camera", portrait // 2, 40, **STILL | {"noise": [0.03, 0.03], "exposure": [-0.1, -0.1]}) @ LUMA),
        noise(make("camera", portrait // 2, 40, **STILL | {"noise": [0.03, 0.03]}) @ LUMA),
    ]
    assert noises[0] == pytest.approx(noises[1], rel=0.15)


def test_nearest_takes_pixels_and_area_their_mean():
    image = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3)
    taken = make("downsample", image, 4, kernel="nearest")
    assert {tuple(pixel) for pixel in taken.reshape(-1, 3).tolist()} <= {
        tuple(pixel) for pixel in image.reshape(-1, 3).tolist()
    }
    means = image.reshape(4, 2, 4, 2, 3).mean((1, 3))
    np.testing.assert_allclose(make("downsample", image, 4, kernel="area"), means, atol=0.5)


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
def test_only_an_antialiased_kernel_does_away_with_what_is_too_fine(kernel):
    """Stripes of one pixel, which a third of the size cannot show."""
    stripes = np.tile(np.array([0, 255], np.uint8), 30)[None, :, None].repeat(60, 0).repeat(3, 2)
    smooth = make("downsample", stripes, 20, kernel=kernel)
    aliased = make("downsample", stripes, 20, kernel=kernel, antialiased=False)
    assert smooth.std() < 15 < 60 < aliased.std()
    assert np.array_equal(smooth, make("downsample", stripes, 20, kernel=kernel, antialiased=True))


def test_the_default_is_bicubic_as_it_was(portrait):
    from lrfr.core.resampling import bicubic_to_height

    assert np.array_equal(make("downsample", portrait, 20), bicubic_to_height(portrait, 20))


@pytest.mark.parametrize("kernel", ["nearest", "area"])
def test_a_kernel_that_has_no_choice_is_given_none(kernel, portrait):
    with pytest.raises(ParameterError, match="antialiased goes with the kernels bilinear and bicubic"):
        make("downsample", portrait, 20, kernel=kernel, antialiased=True)
