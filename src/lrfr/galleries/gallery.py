"""A gallery in memory: who is the person of this embedding, or is it nobody who is enrolled?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from lrfr.errors import GalleryError
from lrfr.faces import numbered
from lrfr.galleries.file import GalleryFile, Origin
from lrfr.galleries.search import INDEXED, nearest, open_index, templates
from lrfr.release.calibration import Calibration, Threshold

NEAREST = 5  # people who are named beside the answer
FPIR = 0.01


class Recogniser(Protocol):
    """A model, as far as a gallery has to know it."""

    @property
    def origin(self) -> Origin:
        """Whose embeddings it gives."""

    @property
    def calibration(self) -> Calibration:
        """What its release says of strangers."""


@dataclass(frozen=True)
class Answer:
    """Who a face is.

    Attributes:
        name: None: nobody who is enrolled, as far as the model can tell.
        score: with the person whom it resembles most.
        nearest: up to five people and their scores, the most alike first.
        reason: why there is no name: the ``quality`` of the face is too low, or its ``score`` is; None with a name.
    """

    name: str | None
    score: float
    nearest: list[tuple[str, float]]
    reason: Literal["quality", "score"] | None = None


class Gallery:
    """The people of a gallery file, as they were when it was opened.

    Args:
        path: of the file.
        model: whose embeddings it holds.

    Raises:
        GalleryError: there is none, it is damaged, of another model, or empty.
    """

    def __init__(self, path: Path | str, model: Recogniser) -> None:
        self._file, self._model = GalleryFile(Path(path), model.origin), model
        table = self._file.read(["name", "embedding"])
        if not len(table):
            raise GalleryError("nobody is enrolled", where=path, remedy="enrol somebody: lrfr enroll NAME PHOTO")
        self.people, self._person = numbered(table["name"])
        width = model.origin.width
        embedding = table["embedding"].combine_chunks().flatten().to_numpy().reshape(-1, width)
        self._template = templates(embedding, self._person, len(self.people), model.origin.metric)
        self._index = None
        if len(self.people) >= INDEXED:
            self._index = open_index(self._file.index(), self._template, model.origin.metric)

    @property
    def photos(self) -> int:
        """How many faces are enrolled."""
        return len(self._person)

    @property
    def revision(self) -> str:
        """Which state of the file this is."""
        return self._file.revision

    def threshold(self, fpir: float = FPIR, least_quality: float | None = None) -> Threshold:
        """The threshold for an FPIR, 0..0.5, among these people; with a least quality, of strangers who reach it.

        Raises:
            CalibrationError: the release's calibration does not resolve it, or has no such quality.
        """
        return self._model.calibration.threshold(fpir, len(self.people), least_quality)

    def identify(
        self,
        embeddings: np.ndarray,
        fpir: float = FPIR,
        quality: np.ndarray | None = None,
        least_quality: float | None = None,
    ) -> list[Answer]:
        """Who each face is.

        Args:
            embeddings: (B, D) of the gallery's model.
            fpir: the share of strangers, 0..0.5, that may be taken for somebody.
            quality: (B,) what the model predicts of each face; needed for a ``least_quality``.
            least_quality: a face below it is nobody's; None: every face is looked for.

        Raises:
            CalibrationError: the release's calibration does not resolve the FPIR, or has no such quality.
            GalleryError: a least quality is asked for, and the faces have none.
            EmbeddingError: embeddings that cannot be compared.
        """
        threshold = self.threshold(fpir, least_quality)
        if least_quality is not None and quality is None:
            what = "a least quality was asked for, and the faces have no quality"
            raise GalleryError(what, remedy="give the quality that the model predicts, as Model.see has it")
        poor = np.zeros(len(embeddings), bool) if least_quality is None else ~(np.asarray(quality) >= least_quality)
        people, scores = nearest(embeddings, self._template, self._model.origin.metric, NEAREST, self._index)
        answers = []
        for who, score, is_poor in zip(people.tolist(), scores.tolist(), poor.tolist(), strict=True):
            near = [(self.people[person], value) for person, value in zip(who, score, strict=True)]
            reason = "quality" if is_poor else None if score[0] >= threshold.score else "score"
            answers.append(Answer(None if reason else near[0][0], score[0], near, reason))
        return answers

    def picture(self, name: str) -> bytes:
        """The first picture of a person, encoded."""
        row = int(np.flatnonzero(self._person == self.people.index(name))[0])
        return self._file.pictures([row])[0]


class FollowedGallery:
    """A gallery that is read again whenever its file has changed, by whatever program.

    Args:
        path: of the file.
        model: whose embeddings it holds.

    Raises:
        GalleryError: as :class:`Gallery`.
    """

    def __init__(self, path: Path, model: Recogniser) -> None:
        self._path, self._model = path, model
        self._stamp = self._now()
        self._gallery = Gallery(path, model)

    def latest(self) -> Gallery:
        """The gallery as it is now."""
        if (stamp := self._now()) != self._stamp:
            self._stamp, self._gallery = stamp, Gallery(self._path, self._model)
        return self._gallery

    def _now(self) -> tuple[int, int] | None:
        try:
            told = self._path.stat()
        except FileNotFoundError:
            return None
        return told.st_ino, told.st_mtime_ns
