"""calibration.json of a release: which threshold answers "don't know" to strangers as often as was asked for.

It is made from the run's embeddings of the benchmark. Each probe is searched among all people but its own, so that it
is a stranger; a person's images are averaged, as a gallery does it. :mod:`lrfr.core.open_set_calibration` has the rule.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from annotated_types import Len
from pydantic import Field

from lrfr.config import Section, settings
from lrfr.core.bootstrap import intervals
from lrfr.core.gallery_templates import gallery_templates
from lrfr.core.open_set_calibration import alike, extended, mistaken, non_mated, rates, reduced, sizes, thresholds
from lrfr.core.scoring import comparable
from lrfr.errors import CalibrationError
from lrfr.faces import numbered, read_faces
from lrfr.files import read_json, write_json
from lrfr.release.layout import CALIBRATION

FORMAT = 1
LARGEST = 0.5  # an FPIR above tells nobody anything
PEOPLE = 10**9

Rate = Annotated[float, Field(ge=0, le=1)]
Interval = Annotated[list[Rate], Len(2, 2)]


class Detector(Section):
    """MTCNN's settings by which the benchmark's faces were found; see :class:`lrfr.detector.Detect`."""

    min_face: int = Field(gt=4, le=10_000)
    thresholds: Annotated[list[Rate], Len(3, 3)]


@dataclass(frozen=True)
class Threshold:
    """The least score that counts as a match.

    Attributes:
        score: a best score at or above is a match.
        fpir: the share of strangers, 0..1, that are taken for somebody.
        interval: its 95 % bootstrap interval over strangers.
        people: who are enrolled.
        measured: whether the benchmark has so many people, or the rule extends it.
    """

    score: float
    fpir: float
    interval: tuple[float, float]
    people: int
    measured: bool


class Calibration(Section):
    """What the benchmark says of strangers.

    Attributes:
        format: of this file.
        metric: of the scores.
        people: G, who were enrolled; ``photos`` images of each on average.
        photos: see above.
        strangers: U, the searches.
        identities: how many different people these show.
        sizes: (S) galleries.
        rates: (R) FPIRs, the first the least that is resolved.
        thresholds: (S, R) scores.
        intervals: (S, R) pairs, 95 %, of the FPIR at each threshold.
        detector: how the faces were found.
    """

    format: Literal[1] = FORMAT
    metric: Literal["cosine", "euclidean"]
    people: int = Field(ge=1, le=PEOPLE)
    photos: float = Field(ge=1, le=1e6)
    strangers: int = Field(ge=2, le=10**9)
    identities: int = Field(ge=2, le=10**9)
    sizes: list[Annotated[int, Field(ge=1, le=PEOPLE)]] = Field(min_length=1, max_length=1000)
    rates: list[Rate] = Field(min_length=1, max_length=1000)
    thresholds: list[list[Annotated[float, Field(ge=-1e300, le=1e300)]]]
    intervals: list[list[Interval]]
    detector: Detector

    def least(self, people: int) -> float:
        """The least FPIR that is resolved for so many people: one error among all strangers of the benchmark."""
        return self.rates[0] if people <= self.people else extended(self.rates[0], self.people, people)

    def threshold(self, fpir: float, people: int) -> Threshold:
        """The threshold for an FPIR, 0..0.5, in a gallery of ``people``.

        Raises:
            CalibrationError: the benchmark has too few strangers for it, or the FPIR is out of its range.
        """
        if not 0 < fpir <= LARGEST:
            raise CalibrationError(f"an FPIR of {fpir:g} was asked for", remedy=f"ask for one above 0, up to {LARGEST}")
        least = self.least(people)
        if fpir < least * (1 - 1e-9):
            what = (
                f"an FPIR of {fpir:g} among {people:,} people is not resolved by the release's calibration, which has "
                f"{self.strangers:,} strangers of {self.identities:,} people"
            )
            raise CalibrationError(what, remedy=f"ask for {_up(least)} or more: --fpir {_up(least)}")
        rate = fpir if people <= self.people else reduced(fpir, self.people, people)
        score = self._read(np.array(self.thresholds), rate, people)
        low, high = (self._read(np.array(self.intervals)[..., end], rate, people) for end in (0, 1))
        if people > self.people:
            low, high = (extended(end, self.people, people) for end in (low, high))
        return Threshold(score, fpir, (low, high), people, people <= self.people)

    def _read(self, table: np.ndarray, rate: float, people: int) -> float:
        """A value of a table (S, R), between whose entries it runs straight over the logarithms of size and rate."""
        by_size = [np.interp(np.log(rate), np.log(self.rates), row) for row in table]
        return float(np.interp(np.log(people), np.log(self.sizes), by_size))


def calibrate(
    embedding: np.ndarray,
    identity: np.ndarray,
    role: np.ndarray,
    metric: Literal["cosine", "euclidean"],
    seed: int,
    detector: Detector,
    draws: int = 1000,
) -> Calibration:
    """Calibrates a model.

    Args:
        embedding: (N, D) of a benchmark's faces.
        identity: (N,) int64.
        role: (N,) text; ``gallery`` is enrolled and ``probe`` is searched, all else is left out.
        metric: of the model.
        seed: of the bootstrap.
        detector: how the faces were found.
        draws: of the bootstrap.

    Raises:
        CalibrationError: fewer than two people are enrolled, or searched for.
        EmbeddingError: embeddings that cannot be compared.
    """
    is_probe = (role == "probe") & np.isin(identity, identity[role == "gallery"])
    if len(np.unique(identity[role == "gallery"])) < 2 or len(np.unique(identity[is_probe])) < 2:
        what = "a calibration needs two people and more of whom there are probes and gallery faces"
        raise CalibrationError(what, remedy="test the model on more people")
    scores, who = stranger_scores(embedding, identity, role == "gallery", is_probe, metric)
    people = scores.shape[1]
    gallery_sizes, wanted = sizes(people), rates(len(scores))
    found = thresholds(scores, gallery_sizes, wanted)
    scores = np.sort(scores, axis=1)
    both = [
        intervals(mistaken(size, people)[alike(scores, row)], who, draws, seed).T
        for size, row in zip(gallery_sizes, found, strict=True)
    ]
    return Calibration(
        metric=metric,
        people=people,
        photos=round(float((role == "gallery").sum() / (people + 1)), 2),
        strangers=len(scores),
        identities=len(np.unique(who)),
        sizes=gallery_sizes,
        rates=wanted,
        thresholds=found.tolist(),
        intervals=np.array(both).round(6).tolist(),
        detector=detector,
    )


def stranger_scores(
    embedding: np.ndarray, identity: np.ndarray, enrolled: np.ndarray, searched: np.ndarray, metric: str
) -> tuple[np.ndarray, np.ndarray]:
    """The scores (U, G) of each searched face with every enrolled person but its own, and whom it shows (U,).

    Args:
        embedding: (N, D).
        identity: (N,) int64.
        enrolled: (N,) bool.
        searched: (N,) bool; the person of each is enrolled too.
        metric: ``cosine`` or ``euclidean``.
    """
    average = "unit" if metric == "cosine" else "raw"
    rows = np.flatnonzero(enrolled)
    template, person = gallery_templates(embedding[rows], identity[rows], np.ones(len(rows), bool), metric, average)
    scores = all_scores(embedding[searched], template, metric)
    return non_mated(scores, identity[searched], person), identity[searched]


def all_scores(probe: np.ndarray, template: np.ndarray, metric: str) -> np.ndarray:
    """The scores (P, G) of probes (P, D) with templates (G, D), float64: cosine, or minus the squared distance."""
    left, right = (
        comparable(rows, metric, name, np.arange(len(rows))) for rows, name in ((probe, "probe"), (template, "gallery"))
    )
    product = left @ right.T
    if metric == "cosine":
        return product
    return 2 * product - (left**2).sum(axis=1)[:, None] - (right**2).sum(axis=1)


@dataclass(frozen=True)
class BenchmarkFaces:
    """The faces of a benchmark that were embedded: ``embedding`` (N, D), ``identity`` (N,) int64, -1 for nobody's, and
    ``role`` (N,), ``gallery``, ``probe`` or ``distractor``; and the model's ``metric``."""

    embedding: np.ndarray
    identity: np.ndarray
    role: np.ndarray
    metric: Literal["cosine", "euclidean"]


def read_test_faces(embeddings: Path, faces: Path) -> BenchmarkFaces:
    """Reads the embeddings of a benchmark's faces; those that are missing are left out.

    Args:
        embeddings: the ``.npz`` that the stage embed wrote.
        faces: the benchmark's face table.
    """
    with np.load(embeddings) as archive:
        row_of = {face_id: row for row, face_id in enumerate(archive["face_id"].tolist())}
        embedding, missing = archive["embedding"], archive["missing"]
        metric = json.loads(str(archive["facts"]))["metric"]
    table = read_faces(faces, ["face_id", "identity", "split"])
    _, identity = numbered(table["identity"])
    role = np.array([split or "" for split in table["split"].to_pylist()])
    row = np.array([row_of.get(face_id, -1) for face_id in table["face_id"].to_pylist()])
    used = np.flatnonzero(row >= 0)
    used = used[~missing[row[used]]]
    return BenchmarkFaces(embedding[row[used]], identity[used], role[used], metric)


def calibrate_run(embeddings: Path, faces: Path, seed: int, detector: Detector) -> Calibration:
    """Calibrates a run by its embeddings of the benchmark, see :func:`read_test_faces`.

    Args:
        embeddings: the ``.npz`` that the stage embed wrote of the benchmark.
        faces: the benchmark's face table.
        seed: of the bootstrap.
        detector: how its faces were found.
    """
    tested = read_test_faces(embeddings, faces)
    named = tested.identity >= 0
    return calibrate(tested.embedding[named], tested.identity[named], tested.role[named], tested.metric, seed, detector)


def write_calibration(folder: Path, calibration: Calibration) -> None:
    """Writes calibration.json into a release's folder."""
    write_json(folder / CALIBRATION, calibration.model_dump())


def read_calibration(folder: Path) -> Calibration:
    """Reads a release's calibration.json.

    Raises:
        ResultError: there is none, or it is not JSON.
        CalibrationError: its tables do not fit.
        ParameterError: a part is missing or is not what it should be.
    """
    path = folder / CALIBRATION
    known = settings(read_json(path, made_by="get a release that has a calibration"), Calibration, str(path))
    shape = (len(known.sizes), len(known.rates))
    rows = [[len(row) for row in table] for table in (known.thresholds, known.intervals)]
    fits = rows == [[shape[1]] * shape[0]] * 2 and known.sizes[-1] == known.people
    if not fits or sorted(known.sizes) != known.sizes or sorted(known.rates) != known.rates or known.rates[0] <= 0:
        raise CalibrationError("its tables do not fit together", where=path, remedy="get the release again")
    return known


def _up(rate: float) -> str:
    """A rate with two digits, rounded up, so that it is resolved."""
    digits = f"{rate:.1e}"
    power = int(digits.partition("e")[2])
    return f"{np.ceil(rate / 10.0 ** (power - 1) - 1e-9) * 10.0 ** (power - 1):.2g}"
