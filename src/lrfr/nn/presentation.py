"""Faces as a model wants them presented: as they were cropped, or aligned to a template by their landmarks."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from lrfr.core.alignment import MIDDLE, is_aligned
from lrfr.nn.framing import aligned_or_centred, middle
from lrfr.nn.landmarks.network import CNN6
from lrfr.nn.landmarks.prediction import predict
from lrfr.parallel import cores


class Presenter:
    """Presents faces to a model.

    Args:
        presentation: the model's, ``as_cropped``, ``middle_224`` or the name of a template.
        landmarks: the network that finds landmarks, for a template.
    """

    def __init__(self, presentation: str, landmarks: CNN6 | None) -> None:
        self.presentation, self._landmarks = presentation, landmarks

    @property
    def aligns(self) -> bool:
        """Whether faces are aligned."""
        return is_aligned(self.presentation)

    def __call__(
        self, images: Sequence[np.ndarray], known: np.ndarray | None = None
    ) -> tuple[list[np.ndarray], np.ndarray]:
        """Presents faces.

        Args:
            images: (H, W, 3) uint8 each, RGB, of any size.
            known: (N, 5, 2) landmarks, px, where they are known; NaN where they are to be found.

        Returns:
            The faces, and whether each could be aligned (N,) bool; one that could not is centred by a fixed crop.
        """
        if self.presentation == MIDDLE:
            return [middle(image) for image in images], np.ones(len(images), bool)
        if not self.aligns or not images:
            return list(images), np.ones(len(images), bool)
        points = np.full((len(images), 5, 2), np.nan) if known is None else known.astype(np.float64)
        unknown = np.flatnonzero(np.isnan(points).any(axis=(1, 2)))
        if len(unknown) and self._landmarks is not None:
            points[unknown] = predict(self._landmarks, [images[row] for row in unknown.tolist()])
        with ThreadPoolExecutor(cores()) as pool:
            made = list(pool.map(partial(aligned_or_centred, presentation=self.presentation), images, points))
        return [face for face, _ in made], np.array([found for _, found in made], bool)
