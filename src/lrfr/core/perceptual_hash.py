"""The DCT hash of a picture: near copies, re-encoded or resized, have hashes that differ in few bits."""

from functools import lru_cache

import numpy as np

SIDE = 32  # px; the picture is shrunk to this square
KEPT = 8  # lowest frequencies in each direction; 64 bits


def low_frequencies(grey: np.ndarray) -> np.ndarray:
    """The lowest frequencies (64,) of a grey picture (H, W), 0..255, shrunk to 32 x 32 px by Lanczos' kernel.

    C. Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010, section 3.2.1. Shrinking
    and the cosine transform are both linear, so that a picture costs two small matrix products. The package
    ``imagehash`` rounds to whole grey levels in between, which turns a bit now and then.
    """
    return (_shrunk_cosines(grey.shape[0]) @ grey @ _shrunk_cosines(grey.shape[1]).T).ravel()


def hashes(frequencies: np.ndarray) -> np.ndarray:
    """Hashes (N,), uint64, from lowest frequencies (N, 64): a bit tells whether one is above the picture's median."""
    frequencies = np.round(frequencies, 3)  # those of a flat picture are zero but for rounding
    above = frequencies > np.median(frequencies, axis=1, keepdims=True)
    return np.packbits(above, axis=1).view(">u8")[:, 0].astype(np.uint64)


@lru_cache(maxsize=4096)
def _shrunk_cosines(old: int) -> np.ndarray:
    """What each of ``old`` pixels in a row adds to each of its ``KEPT`` lowest frequencies at ``SIDE`` px."""
    place = np.arange(SIDE) + 0.5
    cosines = np.cos(np.pi / SIDE * np.arange(KEPT)[:, None] * place)
    distance = (np.arange(old) + 0.5 - place[:, None] * old / SIDE) / max(1.0, old / SIDE)
    lanczos = np.where(np.abs(distance) < 3, np.sinc(distance) * np.sinc(distance / 3), 0.0)
    return cosines @ (lanczos / lanczos.sum(axis=1, keepdims=True))
