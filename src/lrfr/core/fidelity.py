"""How true an image is to its original: PSNR and SSIM."""

import numpy as np

SIGMA, SIDE = 1.5, 11  # of SSIM's Gaussian window, px
STABLE = 0.01**2, 0.03**2  # C1 and C2 of values 0..1
LEAST_ERROR = 1e-10  # the mean squared error of what is called equal: 100 dB

_offsets = np.arange(SIDE) - SIDE // 2
WINDOW = np.exp(-(_offsets**2) / (2 * SIGMA**2))
WINDOW /= WINDOW.sum()


def psnr(images: np.ndarray, originals: np.ndarray) -> np.ndarray:
    """The peak signal-to-noise ratio of each image, (B,) dB, over all its channels; 100 where nothing differs.

    Args:
        images: (B, C, H, W), values 0..1.
        originals: of the same shape.
    """
    error = ((images.astype(np.float64) - originals) ** 2).mean(axis=(1, 2, 3))
    return -10 * np.log10(np.maximum(error, LEAST_ERROR))


def ssim(images: np.ndarray, originals: np.ndarray) -> np.ndarray:
    """The structural similarity of each image to its original, (B,), 1 where nothing differs.

    Wang, Bovik, Sheikh & Simoncelli, "Image quality assessment: from error visibility to structural similarity", IEEE
    TIP 13, 2004, equation 13 with the window of section III-C, 11 x 11 px with sigma 1.5, at each place where it lies
    inside the image; the mean over places and channels. The window's weights sum to 1, as in their equations 14 to 16.

    Args:
        images: (B, C, H, W), values 0..1, 11 px at least.
        originals: of the same shape.
    """
    x, y = images.astype(np.float64), originals.astype(np.float64)
    mean_x, mean_y = _smooth(x), _smooth(y)
    both = mean_x * mean_y
    squares = mean_x**2 + mean_y**2
    covariance = _smooth(x * y) - both
    variances = _smooth(x**2 + y**2) - squares
    first, second = STABLE
    similar = (2 * both + first) * (2 * covariance + second) / ((squares + first) * (variances + second))
    return similar.mean(axis=(1, 2, 3))


def _smooth(planes: np.ndarray) -> np.ndarray:
    """Planes (B, C, H, W) under the window, (B, C, H - 10, W - 10)."""
    for axis in (2, 3):
        planes = np.lib.stride_tricks.sliding_window_view(planes, SIDE, axis) @ WINDOW
    return planes
