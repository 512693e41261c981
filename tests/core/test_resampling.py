import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lrfr.core.resampling import bicubic, bicubic_to_height, bilinear, opencv_bicubic, view
from lrfr.errors import ParameterError

SIZES = [(20, 16), (9, 9), (33, 21), (1, 1), (120, 99)]


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(60, 200, (height, width, 3), dtype=np.uint8)


def difference(one, other):
    return np.abs(one.astype(int) - np.asarray(other)).max()


@pytest.mark.parametrize("size", SIZES)
def test_shrinks_and_grows_as_pillow_does(size):
    image = noise(100, 80)
    for ours, theirs in ((bicubic, Image.Resampling.BICUBIC), (bilinear, Image.Resampling.BILINEAR)):
        assert difference(ours(image, *size), Image.fromarray(image).resize(size[::-1], theirs)) <= 1


@pytest.mark.parametrize("size", SIZES)
def test_aliases_as_opencv_does(size):
    image = noise(100, 80)
    theirs = cv2.resize(image, size[::-1], interpolation=cv2.INTER_CUBIC)
    assert difference(opencv_bicubic(image, *size), theirs) <= 1


def test_a_fine_pattern_fades_instead_of_aliasing():
    stripes = np.zeros((96, 96, 3), np.uint8)
    stripes[:, ::2] = 255
    for resize in (bicubic, bilinear):
        small = resize(stripes, 20, 20)[2:-2, 2:-2]
        assert np.abs(small.astype(int) - 127).max() < 12
    assert np.abs(opencv_bicubic(stripes, 20, 20).astype(int) - 127).max() > 100


@pytest.mark.parametrize("resize", [bicubic, bilinear, opencv_bicubic])
def test_the_same_size_changes_nothing(resize):
    image = np.random.default_rng(1).integers(0, 256, (17, 13, 3), dtype=np.uint8)
    assert np.array_equal(resize(image, 17, 13), image)


def test_aspect_follows_the_height():
    assert bicubic_to_height(np.zeros((150, 120, 3), np.uint8), 20).shape == (20, 16, 3)
    assert bicubic_to_height(np.zeros((150, 2, 3), np.uint8), 6).shape == (6, 1, 3)


sides = st.integers(1, 60)


@settings(deadline=None)
@given(height=sides, width=sides, px=sides, grey=st.integers(0, 255))
def test_a_rendition_keeps_a_plain_image_plain_and_has_the_size_that_its_name_says(height, width, px, grey):
    image = np.full((height, width, 3), grey, np.uint8)
    for name in ("mirror", f"side_{px}", f"width_{px}"):
        assert (view(image, name) == grey).all()
    assert view(image, f"side_{px}").shape == image.shape
    made = view(image, f"width_{px}")
    assert made.shape[1] == min(px, width)
    assert abs(made.shape[0] - height * made.shape[1] / width) <= max(0.5, 1 - height * made.shape[1] / width)


@settings(deadline=None)
@given(height=sides, width=sides, px=sides)
def test_a_mirrored_image_has_mirrored_views(height, width, px):
    image = noise(height, width)
    mirrored = view(image, "mirror")
    assert np.array_equal(view(mirrored, "mirror"), image)
    for name in (f"side_{px}", f"width_{px}"):
        assert difference(view(mirrored, name), view(image, name)[:, ::-1]) <= 1


@pytest.mark.parametrize("name", ["side_40", "width_32", "side_400"])
def test_an_image_that_is_small_enough_is_unchanged(name):
    image = noise(40, 32)
    assert np.array_equal(view(image, name), image)


def test_the_sweep_takes_detail_away_step_by_step():
    image = noise(100, 80)
    detail = [view(image, f"side_{px}").std() for px in (8, 16, 24, 32, 64)]
    assert detail == sorted(detail)
    assert detail[0] < 0.3 * detail[-1]
    shortest = Image.fromarray(image).resize((16, 20), Image.Resampling.BILINEAR)
    assert difference(view(image, "side_16"), shortest.resize((80, 100), Image.Resampling.BILINEAR)) <= 2


@pytest.mark.parametrize(("height", "width", "small"), [(137, 100, (10, 8)), (100, 137, (8, 10)), (250, 160, (12, 8))])
def test_the_longer_side_of_the_sweep_is_cut_off_as_its_paper_does(height, width, small):
    """T-C's code: int(size * longer / shorter), where rounding gives 11 for 10.96 and 12.5."""
    image = noise(height, width)
    assert np.array_equal(view(image, "side_8"), bilinear(bilinear(image, *small), height, width))


@pytest.mark.parametrize("name", ["mirrored", "side_", "side_0", "width_-3", "height_20", "side_8x"])
def test_an_unknown_rendition_lists_the_known_ones(name):
    with pytest.raises(ParameterError, match="mirror, side_<px>, width_<px>"):
        view(noise(4, 4), name)
