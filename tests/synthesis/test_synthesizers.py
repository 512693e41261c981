from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import numpy as np
import pytest
import yaml

from lrfr import synthesis
from lrfr.config import settings
from lrfr.core.image_statistics import noise, sharpness

NAMES = sorted(module.name for module in iter_modules(synthesis.__path__))
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
    chosen = settings(params["synthesizers"][name] | changed, module.Settings, name)
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
