"""The embeddings of one test set in one run, as the embed stage stored them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lrfr.errors import EmbeddingError
from lrfr.files import DAMAGE, parse_json

FULL = "full"  # the images as they are


@dataclass(frozen=True)
class Embeddings:
    """Embeddings in the order of the test set's face table; a view is read when it is asked for.

    Attributes:
        stored: the arrays of the file: ``embedding`` and ``embedding_<view>``, (F, D) float32.
        row: (N,) int64, where each face stands in those arrays.
        missing: (N,) bool: nobody could read the face, or find it; its embedding is zero.
        facts: of the model: ``metric``, ``presentation``, ``trained`` and so on.
        quality: (N,) float, the model's own opinion of each image, or None.
        unaligned: (N,) bool: the model wants aligned faces, and this one's landmarks were not found; None where it
            takes them as cropped.
        where: the file, for errors.
    """

    stored: Mapping[str, np.ndarray]
    row: np.ndarray
    missing: np.ndarray
    facts: Mapping[str, Any]
    quality: np.ndarray | None = None
    unaligned: np.ndarray | None = None
    where: object = None

    def of(self, view: str = FULL) -> np.ndarray:
        """The embeddings (N, D) of one view.

        Raises:
            EmbeddingError: that view was not embedded, or is damaged.
        """
        name = "embedding" if view == FULL else f"embedding_{view}"
        if name not in self.stored:
            raise EmbeddingError(f"the view '{view}' was not embedded", where=self.where, remedy="lrfr embed")
        try:
            vectors = self.stored[name]
        except DAMAGE as error:
            raise EmbeddingError(f"damaged: {error}", where=self.where, remedy="lrfr embed") from error
        return vectors if np.array_equal(self.row, np.arange(len(vectors))) else vectors[self.row]

    def take(self, rows: np.ndarray) -> "Embeddings":
        """Those of some of the faces (R,)."""
        quality, unaligned = (None if of is None else of[rows] for of in (self.quality, self.unaligned))
        return replace(self, row=self.row[rows], missing=self.missing[rows], quality=quality, unaligned=unaligned)

    def unchanged(self, condition: str) -> int:
        """How many of the faces a condition left as they are: those that were too large."""
        unchanged = self.stored.get(f"unchanged_{condition}")
        return 0 if unchanged is None else int(unchanged[self.row].sum())

    def under(self, condition: str) -> "Embeddings":
        """The same faces' embeddings under a condition in place of the faces as they are.

        Raises:
            EmbeddingError: that condition was not embedded.
        """
        return replace(self, stored={"embedding": self.of(condition)}, row=np.arange(len(self.row)))


def read_embeddings(path: Path, face_ids: list[str], remedy: str) -> Embeddings:
    """Reads one run's embeddings of these faces; ``remedy`` is the command that makes them.

    Raises:
        EmbeddingError: the file is missing or damaged, or lacks a face.
    """
    if not path.is_file():
        raise EmbeddingError("there are no embeddings", where=path, remedy=remedy)
    try:
        stored = np.load(path, allow_pickle=False)
        place = {face: number for number, face in enumerate(stored["face_id"].tolist())}
        missing, facts = stored["missing"], parse_json(str(stored["facts"]))
        quality, unaligned = stored.get("quality"), stored.get("unaligned")
        complete = all(len(values) == len(place) for values in (stored["embedding"], missing))
    except (*DAMAGE, IndexError) as error:
        raise EmbeddingError(f"not an embedding file: {error}", where=path, remedy=remedy) from error
    if not complete:
        raise EmbeddingError("not an embedding file: its arrays differ in length", where=path, remedy=remedy)
    lost = [face for face in face_ids if face not in place]
    if lost:
        what = f"{len(lost)} faces of the test set have no embedding, such as {lost[0]}"
        raise EmbeddingError(what, where=path, remedy=remedy)
    row = np.array([place[face] for face in face_ids], dtype=np.int64)
    quality, unaligned = (None if of is None else of[row] for of in (quality, unaligned))
    return Embeddings(stored, row, missing[row], facts, quality, unaligned, path)
