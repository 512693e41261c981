"""A release's model, without torch: it finds faces in photos, presents them as it wants them, and embeds them."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from lrfr.core.alignment import check_presentation, is_aligned
from lrfr.core.scoring import METRICS
from lrfr.errors import ReleaseError
from lrfr.galleries.file import Origin
from lrfr.nn.framing import aligned_or_centred, middle
from lrfr.release.calibration import Calibration, Detector, read_calibration
from lrfr.release.layout import LANDMARKS_ONNX, MANIFEST, MODEL_ONNX
from lrfr.release.manifest import read_manifest, sha256
from lrfr.serve.network import Network

POINTS = 5
EMBEDDINGS, QUALITY = "embeddings", "quality"  # outputs of model.onnx


@dataclass(frozen=True)
class Embedded:
    """Faces as the model sees them.

    Attributes:
        embedding: (N, D) float32.
        quality: (N,) float32; None where the model gives none.
        aligned: (N,) bool; a face whose landmarks nobody could find is centred by a fixed crop.
    """

    embedding: np.ndarray
    quality: np.ndarray | None
    aligned: np.ndarray


class Model:
    """The model of a release.

    Args:
        folder: of the release.
        network: ``model.onnx``.
        landmarks: ``landmarks.onnx``, for a model that takes aligned faces.
        release: its name and version.
    """

    def __init__(self, folder: Path, network: Network, landmarks: Network | None, release: str) -> None:
        self.folder, self.release, self._network, self._landmarks = folder, release, network, landmarks
        facts = json.loads(network.told["facts"])
        self.presentation: str = check_presentation(facts["presentation"])
        self.quality: str | None = facts.get("quality") if QUALITY in network.outputs else None
        self._interpolation = json.loads(network.told["architecture"])["preprocessing"]["interpolation"]
        parts = [MODEL_ONNX, LANDMARKS_ONNX] if landmarks else [MODEL_ONNX]
        whole = hashlib.sha256("\n".join(sha256(folder / part) for part in parts).encode()).hexdigest()
        if facts["metric"] not in METRICS:
            raise ValueError(f"the metric '{facts['metric']}'")
        self.origin = Origin(whole, facts["metric"], self.embed([np.zeros((32, 32, 3), np.uint8)]).shape[1], release)

    @classmethod
    def load(cls, folder: Path | str) -> "Model":
        """Loads the model of a release; nothing is fetched, and nothing of it is run but its networks.

        Raises:
            ReleaseError: no release is there, or a part of it is missing or cannot be used.
        """
        folder = Path(folder)
        manifest = read_manifest(folder / MANIFEST)
        network = Network(folder / MODEL_ONNX)
        try:
            aligns = is_aligned(json.loads(network.told["facts"])["presentation"])
            return cls(folder, network, Network(folder / LANDMARKS_ONNX) if aligns else None, manifest.tag)
        except (KeyError, TypeError, ValueError) as error:
            what = f"its metadata do not say how it is used: {error}"
            raise ReleaseError(what, where=folder / MODEL_ONNX, remedy="get the release again: lrfr pull") from error

    @cached_property
    def calibration(self) -> Calibration:
        """What the release says of strangers.

        Raises:
            ResultError: it says nothing.
        """
        return read_calibration(self.folder)

    @property
    def detector(self) -> Detector:
        """How the faces were found by which the release was calibrated."""
        return self.calibration.detector

    def embed(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Embeddings (N, D) float32 of faces (H, W, 3), RGB, uint8, each as it was cut out of its photo."""
        return self.see(images).embedding

    def see(self, images: Sequence[np.ndarray]) -> Embedded:
        """As :meth:`embed`, and the quality of each face too."""
        shown, aligned = self._presented(list(images))
        if not shown:
            return Embedded(np.empty((0, self.origin.width), np.float32), None, aligned)
        given: dict[str, Any] = self._network(shown, self._interpolation)
        quality = given[QUALITY].reshape(-1) if self.quality else None
        return Embedded(given[EMBEDDINGS], quality, aligned)

    def _presented(self, images: list[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray]:
        """The faces as the model wants them, and whether each could be aligned."""
        if self._landmarks is None or not images:
            as_they_are = self.presentation != "middle_224"
            return images if as_they_are else [middle(image) for image in images], np.ones(len(images), bool)
        (found,) = self._landmarks(images).values()
        sides = np.array([image.shape[1::-1] for image in images])
        points = found.reshape(-1, POINTS, 2).astype(np.float64) * (sides / self._landmarks.size[::-1])[:, None]
        made = [aligned_or_centred(*face, self.presentation) for face in zip(images, points, strict=True)]
        return [face for face, _ in made], np.array([found for _, found in made])
