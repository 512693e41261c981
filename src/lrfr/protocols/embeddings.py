"""The embeddings of one test set by one method, as the embed stage stored them."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lrfr.errors import EmbeddingError

FULL = "full"  # the images as they are


@dataclass(frozen=True)
class Embeddings:
    """Embeddings in the order of the test set's face table; a view is read when it is asked for.

    Attributes:
        stored: the arrays of the file: ``embedding`` and ``embedding_<view>``, (F, D) float32.
        row: (N,) int64, where each face stands in those arrays.
        missing: (N,) bool: nobody could read the face, or find it; its embedding is zero.
        quality: (N,) float, the method's own opinion of each image, or None.
        trains_on: which faces the method learnt from: native, auxiliary, or both joined by +; None for neither.
        metric: by which the method's paper compares embeddings, where it names one.
        where: the file, for errors.
    """

    stored: Mapping[str, np.ndarray]
    row: np.ndarray
    missing: np.ndarray
    quality: np.ndarray | None = None
    trains_on: str | None = None
    metric: str | None = None
    where: object = None

    def of(self, view: str = FULL) -> np.ndarray:
        """The embeddings (N, D) of one view.

        Raises:
            EmbeddingError: that view was not embedded.
        """
        name = "embedding" if view == FULL else f"embedding_{view}"
        if name not in self.stored:
            raise EmbeddingError(f"the view '{view}' was not embedded", where=self.where, remedy="lrfr embed")
        vectors = self.stored[name]
        return vectors if np.array_equal(self.row, np.arange(len(vectors))) else vectors[self.row]

    def unchanged(self, condition: str) -> int:
        """How many of the faces a condition left as they are: those that could not be aligned, or were too large."""
        unchanged = self.stored.get(f"unchanged_{condition}")
        return 0 if unchanged is None else int(unchanged[self.row].sum())

    def under(self, condition: str) -> "Embeddings":
        """The same faces' embeddings under a condition, such as ``aligned``, in place of the images as they are.

        Raises:
            EmbeddingError: that condition was not embedded.
        """
        return replace(self, stored={"embedding": self.of(condition)}, row=np.arange(len(self.row)))


def read_embeddings(path: Path, face_ids: list[str], remedy: str) -> Embeddings:
    """Reads one method's embeddings of these faces; ``remedy`` is the command that makes them.

    Raises:
        EmbeddingError: the file is missing or damaged, or lacks a face.
    """
    if not path.is_file():
        raise EmbeddingError("there are no embeddings", where=path, remedy=remedy)
    try:
        stored = np.load(path, allow_pickle=False)
        place = {face: number for number, face in enumerate(stored["face_id"].tolist())}
        missing = stored.get("missing", np.zeros(len(place), bool))
        quality = stored.get("quality")
        trains_on, metric = (str(stored.get(name, "")) or None for name in ("trains_on", "metric"))
        complete = all(len(values) == len(place) for values in (stored["embedding"], missing))
    except (ValueError, KeyError, IndexError, zipfile.BadZipFile, EOFError) as error:
        raise EmbeddingError(f"not an embedding file: {error}", where=path, remedy=remedy) from error
    if not complete:
        raise EmbeddingError("not an embedding file: its arrays differ in length", where=path, remedy=remedy)
    lost = [face for face in face_ids if face not in place]
    if lost:
        what = f"{len(lost)} faces of the test set have no embedding, such as {lost[0]}"
        raise EmbeddingError(what, where=path, remedy=remedy)
    row = np.array([place[face] for face in face_ids], dtype=np.int64)
    return Embeddings(stored, row, missing[row], None if quality is None else quality[row], trains_on, metric, path)
