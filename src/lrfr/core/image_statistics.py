"""What a tiny face looks like in ten numbers: size, light, colour, detail, noise and the traces of compression."""

import numpy as np

STATISTICS = (
    "height",
    "width",
    "aspect",
    "brightness",
    "contrast",
    "saturation",
    "sharpness",
    "noise",
    "high_frequency",
    "blockiness",
)


def describe(image: np.ndarray) -> dict[str, float]:
    """The statistics of an RGB image (H, W, 3), uint8, named as in ``STATISTICS``; all finite.

    Height and width in px; aspect is width / height; brightness is the mean luma, 0..255.
    """
    luma = image @ np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
    height, width = luma.shape
    return {
        "height": float(height),
        "width": float(width),
        "aspect": width / height,
        "brightness": float(luma.mean()),
        "contrast": contrast(luma),
        "saturation": saturation(image),
        "sharpness": sharpness(luma),
        "noise": noise(luma),
        "high_frequency": high_frequency(luma),
        "blockiness": blockiness(luma),
    }


def contrast(luma: np.ndarray) -> float:
    """RMS contrast: the standard deviation of luma (H, W; 0..255) over 255, so 0..0.5 (Peli, JOSA A 7(10), 1990)."""
    return float(luma.std() / 255)


def saturation(image: np.ndarray) -> float:
    """Mean HSV saturation, (max - min) / max of R, G, B, of an image (H, W, 3): 0 (grey) ..1; black counts as grey."""
    highest, lowest = image.max(axis=2).astype(float), image.min(axis=2)
    return float(((highest - lowest) / np.maximum(highest, 1)).mean())


def sharpness(luma: np.ndarray) -> float:
    """log10(1 + variance of the Laplacian) of luma (H, W; 0..255), 0 where flat (Pech-Pacheco et al., ICPR 2000).

    The logarithm because the variance spans decades, and a few sharp faces would hide the others.
    """
    filtered = _filter(luma, np.array([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]))
    return float(np.log10(1 + filtered.var()))


def noise(luma: np.ndarray) -> float:
    """Standard deviation of the noise in luma (H, W; 0..255), in the same unit (Immerkaer, CVIU 64(2), 1996, eq. 4)."""
    filtered = _filter(luma, np.array([[1.0, -2, 1], [-2, 4, -2], [1, -2, 1]]))
    return float(np.sqrt(np.pi / 2) / 6 * np.abs(filtered).mean())


def high_frequency(luma: np.ndarray) -> float:
    """Share of the spectrum's energy above half of Nyquist's frequency, 0..1, of luma (H, W); 0 where flat.

    The mean is taken off and a Hann window laid over it, so that neither the light nor the borders count.
    """
    window = np.outer(*(np.hanning(side + 2)[1:-1] for side in luma.shape))
    energy = np.abs(np.fft.fft2((luma - luma.mean()) * window)) ** 2
    frequency = np.hypot(*np.meshgrid(*(np.fft.fftfreq(side) for side in luma.shape), indexing="ij"))
    total = energy.sum()
    return float(energy[frequency > 0.25].sum() / total) if total > 1e-6 else 0.0


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


def _filter(luma: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Correlates luma (H, W) with a 3 x 3 kernel wherever it fits; smaller images are padded by their borders."""
    luma = np.pad(luma, [(0, max(0, 3 - side)) for side in luma.shape], mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(luma, (3, 3))
    return np.einsum("hwyx,yx->hw", windows, kernel)
