"""calibration.json of a release: which threshold answers "don't know" to strangers as often as was asked for.

It is made from the run's embeddings of the benchmark. Each probe is searched among all people but its own, so that it
is a stranger; a person's images are averaged, as a gallery does it. :mod:`lrfr.core.open_set_calibration` has the rule.

A model that predicts a quality is calibrated once more for each of several least qualities, on the strangers that reach
it: the FPIR is then the share of those who are looked for at all, so that turning faces away makes no room for more
mistakes among the others.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

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
TURNED_AWAY = (0.05, 0.1, 0.2, 0.3, 0.5)  # shares of the strangers that the least qualities turn away

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
        least_quality: below which nobody is looked for; None: every face is.
    """

    score: float
    fpir: float
    interval: tuple[float, float]
    people: int
    measured: bool
    least_quality: float | None = None


class Strangers(Section):
    """Some strangers, and the thresholds that they ask for.

    Attributes:
        strangers: U, the searches.
        identities: how many different people these show.
        rates: (R) FPIRs, the first the least that is resolved.
        thresholds: (S, R) scores, for S sizes of galleries.
        intervals: (S, R) pairs, 95 %, of the FPIR at each threshold.
    """

    strangers: int = Field(ge=2, le=10**9)
    identities: int = Field(ge=2, le=10**9)
    rates: list[Rate] = Field(min_length=1, max_length=1000)
    thresholds: list[list[Annotated[float, Field(ge=-1e300, le=1e300)]]]
    intervals: list[list[Interval]]


class OfQuality(Strangers):
    """The strangers of a ``least`` quality and more."""

    least: float = Field(ge=-1e300, le=1e300)


class Calibration(Strangers):
    """What the benchmark says of strangers.

    Attributes:
        format: of this file.
        metric: of the scores.
        people: G, who were enrolled; ``photos`` images of each on average.
        photos: see above.
        sizes: (S) galleries.
        detector: how the faces were found.
        by_quality: the same of the strangers of a least quality, ascending; empty where the model predicts none.
    """

    format: Literal[1] = FORMAT
    metric: Literal["cosine", "euclidean"]
    people: int = Field(ge=1, le=PEOPLE)
    photos: float = Field(ge=1, le=1e6)
    sizes: list[Annotated[int, Field(ge=1, le=PEOPLE)]] = Field(min_length=1, max_length=1000)
    detector: Detector
    by_quality: list[OfQuality] = Field(default=[], max_length=100)

    def least(self, people: int) -> float:
        """The least FPIR that is resolved for so many people: one error among all strangers of the benchmark."""
        return self.rates[0] if people <= self.people else extended(self.rates[0], self.people, people)

    def threshold(self, fpir: float, people: int, least_quality: float | None = None) -> Threshold:
        """The threshold for an FPIR, 0..0.5, in a gallery of ``people``.

        With a ``least_quality`` the FPIR is that of the strangers who reach it; between two that were calibrated the
        higher threshold of both holds.

        Raises:
            CalibrationError: the benchmark has too few strangers for it, the FPIR is out of its range, or the least
                quality is, or the model predicts none.
        """
        if not 0 < fpir <= LARGEST:
            raise CalibrationError(f"an FPIR of {fpir:g} was asked for", remedy=f"ask for one above 0, up to {LARGEST}")
        around = [self] if least_quality is None else self._around(least_quality)
        found = max((self._threshold(of, fpir, people) for of in around), key=lambda threshold: threshold.score)
        return replace(found, least_quality=least_quality)

    def _around(self, least_quality: float) -> list[Strangers]:
        """The strangers of the next lower and of the next higher quality that was calibrated."""
        if not self.by_quality:
            what = "a least quality was asked for, and the release's model predicts none that was calibrated"
            raise CalibrationError(
                what, remedy="leave --least-quality out, or take a release of a model with a quality"
            )
        levels = [-np.inf, *(level.least for level in self.by_quality)]
        if not least_quality <= levels[-1]:
            what = f"a quality of {least_quality:g} and more was asked for, which too few strangers of the release have"
            raise CalibrationError(what, remedy=f"ask for {levels[-1]:.6g} or less: --least-quality {levels[-1]:.6g}")
        lower = int(np.searchsorted(levels, least_quality, side="right")) - 1
        upper = int(np.searchsorted(levels, least_quality, side="left"))
        tables: list[Strangers] = [self, *self.by_quality]
        return [tables[place] for place in sorted({max(lower, 0), upper})]

    def _threshold(self, of: Strangers, fpir: float, people: int) -> Threshold:
        """The threshold by some of the strangers."""
        least = of.rates[0] if people <= self.people else extended(of.rates[0], self.people, people)
        if fpir < least * (1 - 1e-9):
            what = (
                f"an FPIR of {fpir:g} among {people:,} people is not resolved by the release's calibration, which has "
                f"{of.strangers:,} strangers of {of.identities:,} people"
            )
            raise CalibrationError(what, remedy=f"ask for {_up(least)} or more: --fpir {_up(least)}")
        rate = fpir if people <= self.people else reduced(fpir, self.people, people)
        score = self._read(of, np.array(of.thresholds), rate, people)
        low, high = (self._read(of, np.array(of.intervals)[..., end], rate, people) for end in (0, 1))
        if people > self.people:
            low, high = (extended(end, self.people, people) for end in (low, high))
        return Threshold(score, fpir, (low, high), people, people <= self.people)

    def _read(self, of: Strangers, table: np.ndarray, rate: float, people: int) -> float:
        """A value of a table (S, R), between whose entries it runs straight over the logarithms of size and rate."""
        by_size = [np.interp(np.log(rate), np.log(of.rates), row) for row in table]
        return float(np.interp(np.log(people), np.log(self.sizes), by_size))


def calibrate(
    embedding: np.ndarray,
    identity: np.ndarray,
    role: np.ndarray,
    metric: Literal["cosine", "euclidean"],
    seed: int,
    detector: Detector,
    draws: int = 1000,
    quality: np.ndarray | None = None,
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
        quality: (N,) what the model predicts of each face, if anything.

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
    gallery_sizes = sizes(people)
    found = [] if quality is None else _by_quality(scores, who, quality[is_probe], gallery_sizes, draws, seed)
    return Calibration(
        metric=metric,
        people=people,
        photos=round(float((role == "gallery").sum() / (people + 1)), 2),
        sizes=gallery_sizes,
        detector=detector,
        by_quality=found,
        **_strangers(scores, who, gallery_sizes, draws, seed),
    )


def _by_quality(
    scores: np.ndarray, who: np.ndarray, quality: np.ndarray, gallery_sizes: list[int], draws: int, seed: int
) -> list[OfQuality]:
    """The strangers (U,) of several least qualities, as long as these show two people and more."""
    levels = []
    for least in np.unique(np.quantile(quality, TURNED_AWAY)):
        kept = quality >= least
        if len(np.unique(who[kept])) >= 2:
            levels.append(
                OfQuality(least=float(least), **_strangers(scores[kept], who[kept], gallery_sizes, draws, seed))
            )
    return levels


def _strangers(scores: np.ndarray, who: np.ndarray, gallery_sizes: list[int], draws: int, seed: int) -> dict[str, Any]:
    """What :class:`Strangers` has of the scores (U, G) of strangers, and of whom they show (U,)."""
    people, wanted = scores.shape[1], rates(len(scores))
    found = thresholds(scores, gallery_sizes, wanted)
    scores = np.sort(scores, axis=1)
    both = [
        intervals(mistaken(size, people)[alike(scores, row)], who, draws, seed).T
        for size, row in zip(gallery_sizes, found, strict=True)
    ]
    return {
        "strangers": len(scores),
        "identities": len(np.unique(who)),
        "rates": wanted,
        "thresholds": found.tolist(),
        "intervals": np.array(both).round(6).tolist(),
    }


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
    ``role`` (N,), ``gallery``, ``probe`` or ``distractor``; the model's ``metric``; and the ``quality`` (N,) that it
    predicts, or None."""

    embedding: np.ndarray
    identity: np.ndarray
    role: np.ndarray
    metric: Literal["cosine", "euclidean"]
    quality: np.ndarray | None = None


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
        quality = archive["quality"] if "quality" in archive.files else None
    table = read_faces(faces, ["face_id", "identity", "split"])
    _, identity = numbered(table["identity"])
    role = np.array([split or "" for split in table["split"].to_pylist()])
    row = np.array([row_of.get(face_id, -1) for face_id in table["face_id"].to_pylist()])
    used = np.flatnonzero(row >= 0)
    used = used[~missing[row[used]]]
    told = None if quality is None else quality[row[used]]
    return BenchmarkFaces(embedding[row[used]], identity[used], role[used], metric, told)


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
    quality = None if tested.quality is None else tested.quality[named]
    shown = tested.embedding[named], tested.identity[named], tested.role[named]
    return calibrate(*shown, tested.metric, seed, detector, quality=quality)


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
    levels = [level.least for level in known.by_quality]
    fits = all(_fits(of, len(known.sizes)) for of in (known, *known.by_quality)) and known.sizes[-1] == known.people
    if not fits or sorted(known.sizes) != known.sizes or sorted(levels) != levels:
        raise CalibrationError("its tables do not fit together", where=path, remedy="get the release again")
    return known


def _fits(of: Strangers, count: int) -> bool:
    """Whether the tables are of so many sizes and of the rates, which ascend from above 0."""
    rows = [[len(row) for row in table] for table in (of.thresholds, of.intervals)]
    return rows == [[len(of.rates)] * count] * 2 and sorted(of.rates) == of.rates and of.rates[0] > 0


def _up(rate: float) -> str:
    """A rate with two digits, rounded up, so that it is resolved."""
    digits = f"{rate:.1e}"
    power = int(digits.partition("e")[2])
    return f"{np.ceil(rate / 10.0 ** (power - 1) - 1e-9) * 10.0 ** (power - 1):.2g}"
