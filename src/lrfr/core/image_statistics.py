"""What a tiny face looks like in eleven numbers: size, light, colour, detail, noise and the traces of compression."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

STATISTICS = (
    "height",
    "width",
    "aspect",
    "exposure",
    "contrast",
    "colourfulness",
    "sharpness",
    "noise",
    "spectral_slope",
    "effective_resolution",
    "blockiness",
)
KEPT = 0.99  # of the spectrum's energy lies within the effective resolution
FAINT = 1e-6  # of the energy: what is below counts as so much, for a logarithm knows no zero


def describe(image: np.ndarray) -> dict[str, float]:
    """The statistics of an RGB image (H, W, 3), uint8, named as in ``STATISTICS``; all finite.

    Height and width in px; aspect is width / height; exposure is the mean luma, 0..255.
    """
    luma = image @ np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
    height, width = luma.shape
    energy = spectrum(luma)
    return {
        "height": float(height),
        "width": float(width),
        "aspect": width / height,
        "exposure": float(luma.mean()),
        "contrast": contrast(luma),
        "colourfulness": colourfulness(image),
        "sharpness": sharpness(luma),
        "noise": noise(luma),
        "spectral_slope": spectral_slope(energy),
        "effective_resolution": effective_resolution(energy),
        "blockiness": blockiness(luma),
    }


def contrast(luma: np.ndarray) -> float:
    """RMS contrast: the standard deviation of luma (H, W; 0..255) over 255, so 0..0.5 (Peli, JOSA A 7(10), 1990)."""
    return float(luma.std() / 255)


def colourfulness(image: np.ndarray) -> float:
    """Metric M3 of an RGB image (H, W, 3), uint8: 0 (grey) to about 110 (D. Hasler and S. Süsstrunk, "Measuring
    Colourfulness in Natural Images", SPIE 5007, 2003, section 4)."""
    red, green, blue = image.reshape(-1, 3).T.astype(float)
    opponents = np.stack([red - green, (red + green) / 2 - blue])
    return float(np.sqrt((opponents.std(axis=1) ** 2).sum()) + 0.3 * np.sqrt((opponents.mean(axis=1) ** 2).sum()))


def sharpness(luma: np.ndarray) -> float:
    """log10(1 + variance of the Laplacian) of luma (H, W; 0..255), 0 where flat (Pech-Pacheco et al., ICPR 2000).

    The logarithm because the variance spans decades, and a few sharp faces would hide the others.
    """
    luma = _at_least_three(luma)
    middle = luma[1:-1, 1:-1]
    filtered = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * middle
    return float(np.log10(1 + filtered.var()))


def noise(luma: np.ndarray) -> float:
    """Standard deviation of the noise in luma (H, W; 0..255), in the same unit (Immerkaer, CVIU 64(2), 1996, eq. 4)."""
    filtered = np.diff(np.diff(_at_least_three(luma), n=2, axis=0), n=2, axis=1)  # his mask is [1 -2 1] both ways
    return float(np.sqrt(np.pi / 2) / 6 * np.abs(filtered).mean())


def spectrum(luma: np.ndarray) -> np.ndarray:
    """The energy (H, W) at each frequency of luma (H, W), as ``numpy.fft.fft2`` orders them; all zero where it is flat.

    The mean is taken off and a Hann window laid over it, so that neither the light nor the borders count.
    """
    energy = np.abs(np.fft.fft2((luma - luma.mean()) * _plan(*luma.shape).window)) ** 2
    return energy if energy.sum() > 1e-6 else np.zeros_like(energy)


def spectral_slope(energy: np.ndarray) -> float:
    """How fast detail fades: the exponent of the power spectrum over the frequency, about -2 for natural pictures
    (D. Field, JOSA A 4(12), 1987), steeper where blurred, about 0 for white noise, and 0 where the picture is flat.

    The slope of the line of least squares through the logarithms of the mean energy of rings that are one cycle per
    shorter side wide, up to Nyquist's frequency.

    Args:
        energy: (H, W), as :func:`spectrum` gives it.
    """
    rings, total = min(energy.shape) // 2, energy.sum()
    if rings < 2 or not total:
        return 0.0
    ring = _plan(*energy.shape).ring
    mean = (np.bincount(ring, energy.ravel()) / np.maximum(np.bincount(ring), 1))[1 : rings + 1]
    x, y = np.log10(np.arange(1, rings + 1)), np.log10(np.maximum(mean / total, FAINT))
    x = x - x.mean()
    return float(x @ y / (x @ x))


def effective_resolution(energy: np.ndarray) -> float:
    """The height, px, to which the picture could be shrunk and keep 99 % of its spectrum's energy: 0 (flat) ..H.

    The least f, cycles per px, such that the frequencies of at most f in both directions have that energy; sampling
    theory asks for 2 f H pixels then. A face that was enlarged has less of it than its height.

    Args:
        energy: (H, W), as :func:`spectrum` gives it.
    """
    if not energy.any():
        return 0.0
    plan = _plan(*energy.shape)
    running = np.cumsum(energy.ravel()[plan.order])
    return float(2 * len(energy) * plan.frequency[np.searchsorted(running, KEPT * running[-1])])


def blockiness(luma: np.ndarray) -> float:
    """Strength of a grid of 8 px in luma (H, W), as JPEG leaves it; 1 where there are no steps at all.

    The steps between neighbours are averaged by their place modulo 8; the strongest place over the mean of all. Wang,
    Sheikh and Bovik (ICIP 2002) compare the steps at the blocks' borders with the others; a face is cut out of its
    photo anywhere, so where the borders lie is not known here.
    """
    strengths = []
    for axis in (0, 1):
        steps = np.abs(np.diff(luma, axis=axis)).mean(axis=1 - axis)
        if steps.sum() > 0:
            places = np.arange(len(steps)) % 8
            strengths.append((np.bincount(places, steps) / np.bincount(places)).max() / steps.mean())
    return float(np.mean(strengths)) if strengths else 1.0


class _Plan(NamedTuple):
    """What the spectra of pictures of one size share: a ``window`` (H, W); the number of the ``ring`` (H * W,) that
    each frequency lies in; the ``order`` (H * W,) of frequencies by the larger of their parts, and these (H * W,)."""

    window: np.ndarray
    ring: np.ndarray
    order: np.ndarray
    frequency: np.ndarray


@lru_cache(maxsize=4096)
def _plan(height: int, width: int) -> _Plan:
    window = np.outer(*(np.hanning(side + 2)[1:-1] for side in (height, width)))
    rows, columns = np.abs(np.meshgrid(np.fft.fftfreq(height), np.fft.fftfreq(width), indexing="ij"))
    ring = np.rint(np.hypot(rows, columns) * min(height, width)).astype(int).ravel()
    larger = np.maximum(rows, columns).ravel()
    order = np.argsort(larger, kind="stable")
    return _Plan(window, ring, order, larger[order])


def _at_least_three(luma: np.ndarray) -> np.ndarray:
    """A picture that a mask of 3 x 3 fits in; a smaller one is padded by its borders."""
    missing = [max(0, 3 - side) for side in luma.shape]
    return np.pad(luma, [(0, side) for side in missing], mode="edge") if any(missing) else luma
