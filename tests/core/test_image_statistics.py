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
    assert found["exposure"] == pytest.approx(value)
    for name in ("contrast", "colourfulness", "sharpness", "noise", "spectral_slope", "effective_resolution"):
        assert found[name] == pytest.approx(0, abs=1e-6)


def test_colourfulness_is_the_published_formula():
    image = np.random.default_rng(0).integers(0, 256, (12, 9, 3), dtype=np.uint8)
    rg = [float(r) - float(g) for r, g, _ in image.reshape(-1, 3)]
    yb = [(float(r) + float(g)) / 2 - float(b) for r, g, b in image.reshape(-1, 3)]
    spread = (np.var(rg) + np.var(yb)) ** 0.5
    assert statistics.colourfulness(image) == pytest.approx(spread + 0.3 * (np.mean(rg) ** 2 + np.mean(yb) ** 2) ** 0.5)
    assert statistics.colourfulness(grey(90)) == 0


@pytest.mark.parametrize("sigma", [2, 5, 12])
def test_noise_is_measured_in_its_own_unit(sigma):
    luma = 120 + np.random.default_rng(0).normal(0, sigma, (400, 400))
    assert statistics.noise(luma) == pytest.approx(sigma, rel=0.03)


def test_sharpness_is_the_laplacians_variance():
    luma = np.random.default_rng(0).uniform(0, 255, (30, 20))
    laplacian = cv2.Laplacian(luma, cv2.CV_64F)[1:-1, 1:-1]
    assert statistics.sharpness(luma) == pytest.approx(np.log10(1 + laplacian.var()))


def naive_spectrum(luma):
    """The energy by frequency in cycles per picture, (row, column), each within -side / 2 .. side / 2."""
    height, width = luma.shape
    window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])
    flat = (luma - luma.mean()) * window
    y, x = np.mgrid[:height, :width]
    return {
        (v, u): abs((flat * np.exp(-2j * np.pi * (v * y / height + u * x / width))).sum()) ** 2
        for v in range(-(height // 2), (height + 1) // 2)
        for u in range(-(width // 2), (width + 1) // 2)
    }


@pytest.mark.parametrize("shape", [(12, 9), (9, 12), (8, 8)])
def test_slope_and_resolution_are_those_of_a_naive_transform(shape):
    luma = np.random.default_rng(1).uniform(0, 255, shape)
    luma = cv2.GaussianBlur(luma, (0, 0), 0.8)
    height, width = shape
    energy = naive_spectrum(luma)
    side = min(shape)
    rings = {
        ring: [e for (v, u), e in energy.items() if round(np.hypot(v / height, u / width) * side) == ring]
        for ring in range(1, side // 2 + 1)
    }
    slope = np.polyfit(np.log10(list(rings)), np.log10([np.mean(of) for of in rings.values()]), 1)[0]
    found = statistics.spectrum(luma)
    assert statistics.spectral_slope(found) == pytest.approx(slope)
    total, least = sum(energy.values()), None
    for most in sorted({max(abs(v) / height, abs(u) / width) for v, u in energy}):
        inside = sum(e for (v, u), e in energy.items() if max(abs(v) / height, abs(u) / width) <= most + 1e-9)
        if least is None and inside >= 0.99 * total:
            least = most
    assert statistics.effective_resolution(found) == pytest.approx(2 * height * least)


def test_blur_takes_detail_and_sharpness():
    luma = np.random.default_rng(0).uniform(0, 255, (32, 26))
    blurred = cv2.GaussianBlur(luma, (0, 0), 1.5)
    sharp, soft = statistics.spectrum(luma), statistics.spectrum(blurred)
    assert abs(statistics.spectral_slope(sharp)) < 0.5
    assert statistics.spectral_slope(soft) < -2
    assert statistics.effective_resolution(sharp) > 28
    assert statistics.effective_resolution(soft) < 20
    assert statistics.sharpness(blurred) < statistics.sharpness(luma) - 1


def test_an_enlarged_face_has_the_resolution_that_it_had():
    small = np.random.default_rng(0).uniform(0, 255, (12, 10))
    enlarged = cv2.resize(small, (40, 48), interpolation=cv2.INTER_CUBIC)
    assert statistics.effective_resolution(statistics.spectrum(enlarged)) < 20


@pytest.mark.parametrize("shift", range(0, 8, 3))
def test_blocks_of_eight_are_seen_wherever_they_start(shift):
    luma = np.random.default_rng(0).uniform(118, 122, (64, 64))
    blocks = luma + np.kron(np.random.default_rng(1).uniform(-20, 20, (8, 8)), np.ones((8, 8)))
    assert statistics.blockiness(luma[shift:32, shift:32]) < 2
    assert statistics.blockiness(blocks[shift : shift + 32, shift : shift + 32]) > 3
