"""The faces that a synthesiser learns from: HR ones, and LR ones as they are captured; none that is tested on."""

from pathlib import Path

import numpy as np

from lrfr.core.alignment import is_aligned
from lrfr.errors import BenchmarkError, FaceTableError
from lrfr.faces import LANDMARK_SCHEMA, read_faces, read_table
from lrfr.images import Images
from lrfr.nn.batches.alignment import AlignedFaces, landmarks_of
from lrfr.nn.batches.augmentation import Augmentation
from lrfr.nn.batches.augmentation_settings import AugmentationSettings
from lrfr.nn.batches.images import FaceImages
from lrfr.nn.batches.labelled import LabelledFaces


def translated(
    table: Path,
    located: Path,
    presentation: str,
    size: int,
    augmentation: AugmentationSettings | None,
    eye_mouth: list[int] | None = None,
    split: str = "train",
) -> LabelledFaces | None:
    """Faces of one split as a synthesiser sees them, without labels; None where the split has none.

    Where faces are aligned, those whose landmarks nobody found are left out: eyes and mouth are not where they should
    be in them.

    Args:
        table: a face table.
        located: the table of its landmarks.
        presentation: how faces are presented.
        size: their side, px.
        augmentation: how they are varied.
        eye_mouth: the bounds, excluded, of the distance from the eyes' middle to the mouth's, px; None for no bounds.
        split: which of the rows.

    Raises:
        BenchmarkError: there are training faces, and none of them can be used.
        FaceTableError: a table is missing, or the landmarks are those of other faces.
    """
    faces = read_faces(table, ["face_id", "split"])
    of_split = np.array(faces["split"].to_pylist(), dtype=object) == split
    aligned = is_aligned(presentation)
    points = _landmarks(faces["face_id"], located) if aligned or eye_mouth else np.empty((len(faces), 5, 2))
    usable = of_split & _wanted(points, aligned, eye_mouth)
    if split == "train" and not usable.any():
        raise _nothing(int(of_split.sum()), table, aligned, eye_mouth)
    if not usable.any():
        return None
    rows = np.flatnonzero(usable)
    presented = AlignedFaces(presentation, points[rows]) if aligned else None
    images = FaceImages(Images(table, rows), (size, size), presented)
    varied = Augmentation(augmentation) if augmentation else None
    return LabelledFaces(images, np.zeros(len(rows), np.int64), varied, None, presented)


def _landmarks(ids: object, located: Path) -> np.ndarray:
    table = read_table(located, LANDMARK_SCHEMA)
    if not table["face_id"].equals(ids):
        raise FaceTableError("these are the landmarks of other faces", where=located, remedy="lrfr locate-landmarks")
    return landmarks_of(table["landmarks"].to_pylist())


def _wanted(points: np.ndarray, aligned: bool, eye_mouth: list[int] | None) -> np.ndarray:
    """Which faces can be used, by their landmarks (N, 5, 2), px, NaN where nobody found them: (N,) bool."""
    if not (aligned or eye_mouth):
        return np.ones(len(points), bool)
    found = np.asarray(np.isfinite(points).all(axis=(1, 2)))
    if eye_mouth is None:
        return found
    low, high = eye_mouth
    distance = np.linalg.norm(points[:, :2].mean(axis=1) - points[:, 3:].mean(axis=1), axis=1)
    return found & (distance > low) & (distance < high)


def _nothing(count: int, table: Path, aligned: bool, eye_mouth: list[int] | None) -> BenchmarkError:
    if not count:
        what = "there are no training faces that a synthesiser could learn from"
        return BenchmarkError(what, where=table, remedy="make params.yaml's acquire larger or curate less strict")
    if eye_mouth is not None:
        low, high = eye_mouth
        what = f"of {count:,} training faces none has from {low} to {high} px between eyes and mouth"
        return BenchmarkError(what, where=table, remedy="choose other bounds in realistic.eye_mouth, or leave them out")
    assert aligned
    what = f"none of {count:,} training faces has landmarks, by which eyes, nose and mouth are found"
    remedy = "train the landmark network on sharper faces (lrfr train-landmarks)"
    return BenchmarkError(what, where=table, remedy=f"{remedy}, or name a backbone with `presentation: as_cropped`")
