"""What a random ranking scores: the floor under every figure."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from lrfr.errors import ResultError
from lrfr.faces import read_faces


@dataclass(frozen=True)
class Chance:
    """A random ranking of a test set's gallery.

    Attributes:
        mates: (P,) int, how many gallery images show each probe's identity, at least 1.
        galleries: the number of gallery images, with ``distractors`` and with ``no_distractors``.
    """

    mates: np.ndarray
    galleries: dict[str, int]

    def cmc(self, part: str, ranks: np.ndarray) -> np.ndarray:
        """(K,) expected shares of probes, 0..1, with a mate within each rank (K,), 1..gallery."""
        return chance_cmc(self.mates, self.galleries[part], ranks)

    def mean_average_precision(self, part: str) -> float:
        """The expected mAP, 0..1."""
        return chance_map(self.mates, self.galleries[part])


def chance(faces: Path) -> Chance:
    """What chance reaches on the test set of a face table.

    Raises:
        FaceTableError: the table is missing.
        ResultError: it has no probe, or a probe without a mate.
    """
    table = read_faces(faces, ["identity", "split"])
    by_split = {
        split: table.filter(pc.field("split") == split)["identity"].to_pylist()
        for split in ("probe", "gallery", "distractor")
    }
    named = by_split["gallery"]
    images = dict(zip(*np.unique(named, return_counts=True), strict=True)) if named else {}
    mates = np.array([images.get(identity, 0) for identity in by_split["probe"]], dtype=int)
    if not len(mates) or mates.min() == 0:
        raise ResultError("the test set has no probe, or one without a mate", where=faces, remedy="dvc repro")
    galleries = {"distractors": len(named) + len(by_split["distractor"]), "no_distractors": len(named)}
    return Chance(mates, galleries)


def chance_cmc(mates: np.ndarray, gallery: int, ranks: np.ndarray) -> np.ndarray:
    """The expected CMC of a random ranking, exact.

    Args:
        mates: (P,) int, how many gallery images show each probe's identity, at least 1.
        gallery: number of gallery images.
        ranks: (K,) int, 1..gallery.

    Returns:
        (K,) expected share of probes, 0..1, with a mate within each rank.
    """
    counts, probes = np.unique(mates, return_counts=True)
    # P(no mate within k) = prod over the mates j of (gallery - k - j) / (gallery - j): no mate falls into the first k.
    missed = np.zeros(len(ranks))
    for count, weight in zip(counts, probes / len(mates), strict=True):
        others = np.arange(count)
        missed += weight * np.prod(np.clip(gallery - ranks[:, None] - others, 0, None) / (gallery - others), axis=1)
    return 1.0 - missed


def chance_map(mates: np.ndarray, gallery: int) -> float:
    """The expected mean average precision (exact definition, 0..1) of a random ranking.

    A mate stands at each rank k with probability m / n; then the other m - 1 mates are spread evenly over the other
    n - 1 places, so precision there is (1 + (k - 1)(m - 1) / (n - 1)) / k.
    """
    if gallery == 1:
        return 1.0
    ranks = np.arange(1, gallery + 1)
    first, rest = np.mean(1.0 / ranks), np.mean((ranks - 1.0) / ranks) / (gallery - 1)
    return float(np.mean(first + rest * (mates - 1)))
