"""Face tables as training data for landmarks."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import torch

from lrfr.errors import FaceTableError
from lrfr.faces import numbered
from lrfr.images import Images
from lrfr.nn.batches.images import FaceImages
from lrfr.nn.batches.order import Key
from lrfr.nn.compute import one_blas_thread
from lrfr.nn.landmarks.network import POINTS, SIDE
from lrfr.nn.landmarks.views import view

HELD_OUT = 0.1  # of the identities
REMEDY = "take auxiliary faces in which MTCNN finds a face, or a source that brings five landmarks"


class LandmarkFaces:
    """Faces with their landmarks. A view's randomness comes from its own seed alone.

    Args:
        faces: rows with ``width``, ``height`` and ``landmarks``, which are all numbers.
        images: theirs.
        heights: lowest and highest height of a view, px.
        tight: the share (0..1) of views that are cropped tightly.
    """

    def __init__(self, faces: pa.Table, images: Images, heights: Sequence[int], tight: float) -> None:
        self.images = FaceImages(images, (SIDE, SIDE))
        self.points = points_of(faces)
        self.labels = to_input(self.points, sizes_of(faces))
        self._heights, self._tight = heights, tight

    def __len__(self) -> int:
        """The number of faces."""
        return len(self.labels)

    def training_batch(self, keys: list[Key]) -> tuple[torch.Tensor, torch.Tensor]:
        """Views (B, 64, 64, 3), uint8, and their points (B, 10), float32, px."""
        with one_blas_thread():
            made = [self._made(*key) for key in keys]
        images, labels = zip(*made, strict=True)
        return torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(labels))

    def _made(self, row: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng((seed, 1))
        seen, points = view(self.images.captured(row), self.points[row], rng, self._heights, self._tight)
        return self.images.resized(seen), to_input(points[None], np.array([seen.shape[:2]]))[0]


def points_of(faces: pa.Table) -> np.ndarray:
    """The landmarks (N, 5, 2) of a face table's rows, px in each image."""
    flat = faces.column("landmarks").combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return flat.astype(np.float64).reshape(len(faces), POINTS, 2)


def sizes_of(faces: pa.Table) -> np.ndarray:
    """Height and width (N, 2) of a face table's images, px."""
    return np.stack([faces.column(name).to_numpy() for name in ("height", "width")], axis=1)


def to_input(points: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Points (N, 5, 2) in images of ``sizes`` (N, 2), height and width, as the network learns them: (N, 10),
    float32, px of its 64 px input."""
    return (points * SIDE / sizes[:, None, ::-1]).reshape(len(points), -1).astype(np.float32)


def held_out(faces: pa.Table, seed: int, where: object) -> tuple[pa.Table, pa.Table]:
    """The faces that have landmarks, those to learn from and those of a tenth of the identities to judge by.

    The split's own validation faces are no help: they show people whose other pictures train.

    Args:
        faces: rows with ``face_id``, ``identity`` and ``landmarks``. Nobody's faces are learnt from.
        seed: draws the identities.
        where: the table's place, for errors.

    Raises:
        FaceTableError: there are no landmarks, a coordinate is not finite, both eyes are in one place, or all faces
            show one person.
    """
    faces = faces.filter(faces.column("landmarks").is_valid())
    if not len(faces):
        raise FaceTableError("no face has landmarks to learn from", where=where, remedy=REMEDY)
    broken = np.flatnonzero(~np.isfinite(points_of(faces)).all(axis=(1, 2)))
    if len(broken):
        face = faces.column("face_id")[int(broken[0])]
        what = f"the landmarks of {len(broken)} faces are no numbers, of face {face} among them"
        raise FaceTableError(what, where=where, remedy="correct them in the source, or leave them empty")
    points = points_of(faces)
    if not (points[:, 0] != points[:, 1]).any(axis=1).all():
        what = "the eyes of some faces lie in one place, which is no landmark"
        raise FaceTableError(what, where=where, remedy="correct them in the source, or leave them empty")
    names, person = numbered(faces.column("identity"))
    if len(names) < 2:
        what = f"landmarks are judged on people who do not train, and these faces show {len(names)} identities"
        raise FaceTableError(what, where=where, remedy="acquire auxiliary faces of at least two")
    order = np.random.default_rng((seed, 4)).permutation(np.argsort(names))
    judged = np.isin(person, order[: max(1, round(HELD_OUT * len(names)))])
    return faces.filter(pa.array(~judged)), faces.filter(pa.array(judged))
