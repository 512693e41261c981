"""How often a stranger is taken for somebody: the FPIR that was asked for against the one observed.

    python benchmarks/dont_know.py WORKSPACE [--run RUN]

WORKSPACE is a project that has been run; the run is that of its release unless another one is named. Two Markdown
tables are printed.

Strangers: every probe of the benchmark is one, once. Its people are dealt out into ten parts; the model is calibrated
on nine of them, and the tenth's probes are searched in galleries of those nine, so that no stranger took part in the
threshold that it is told by. The FPIR of a gallery of N of the nine parts' people is its mean over all such galleries.
"One face each" enrols one gallery face of a person where the calibration has all; "by the rule" is a calibration on a
third of the nine parts' people, asked for galleries of all of them. "Distractors" are the benchmark's unnamed faces,
with the release's own calibration.

Known people: how many probes of people who are enrolled are named rightly, at the threshold of the same FPIR, with all
of a person's gallery faces enrolled, and with one.

Intervals are 95 % bootstrap intervals over identities; of distractors, who have none, over faces.
"""

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lrfr import paths
from lrfr.config import read_params
from lrfr.core.bootstrap import interval
from lrfr.core.gallery_templates import gallery_templates
from lrfr.core.open_set_calibration import alike, mistaken
from lrfr.detector import Detect
from lrfr.errors import CalibrationError
from lrfr.release.calibration import BenchmarkFaces, Calibration, Detector, all_scores, calibrate, read_test_faces
from lrfr.release.settings import Release

FOLDS, THIRD, DRAWS = 10, 3, 1000
RATES = (0.2, 0.1, 0.05, 0.02, 0.01)
SIZES = (3, 10, 30, 100)

Values = list[tuple[np.ndarray, np.ndarray]]  # of each stranger, and whom it shows


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--run")
    asked = parser.parse_args()
    os.chdir(asked.workspace)
    params = read_params()
    found = params.read("detect", Detect)
    detector = Detector(min_face=found.min_face_native, thresholds=found.thresholds)
    run = asked.run or params.read("release", Release).run
    faces = read_test_faces(paths.embeddings(run, "benchmark"), paths.BENCHMARK)
    named = faces.identity >= 0
    probes, people = (faces.role == "probe").sum(), len(np.unique(faces.identity[(faces.role == "gallery") & named]))
    print(f"Run `{run}`: {probes} probes, {people} people with gallery faces.\n")
    print("| strangers | people enrolled | FPIR asked for | observed | strangers searched |\n|---|---|---|---|---|")
    for what, size, rate, values in strangers(faces, detector, params.seed):
        print(row(what, size, rate, values), flush=True)
    print("\n| known people | people enrolled | FPIR asked for | named rightly |\n|---|---|---|---|")
    for what, size, rate, hits, who in known(faces, detector, params.seed):
        print(f"| {what} | {size} | {rate:.2f} | {share(hits, who)} |", flush=True)


def row(what: str, size: int, rate: float, values: Values) -> str:
    """A line of the first table."""
    mean, who = (np.concatenate(parts) for parts in zip(*values, strict=True))
    return f"| {what} | {size} | {rate:.2f} | {share(mean, who)} | {len(mean)} |"


def share(values: np.ndarray, who: np.ndarray) -> str:
    """A mean with its interval."""
    low, high = interval(values, who, DRAWS, 0)
    return f"{values.mean():.3f} ({low:.3f} to {high:.3f})"


def strangers(faces: BenchmarkFaces, detector: Detector, seed: int) -> Iterator[tuple[str, int, float, Values]]:
    """What, among how many people, at which rate: each stranger's chance to be taken for somebody."""
    folds = list(folded(faces, detector, seed))
    everybody = min(fold.scores.shape[1] for fold in folds)
    for size in [size for size in SIZES if size < everybody] + [everybody]:
        for rate in RATES:
            yield from told("probes", size, rate, [(fold.whole, fold.scores, fold.who) for fold in folds])
    for rate in RATES:
        yield from told("probes, one face each", everybody, rate, [(fold.whole, fold.one, fold.who) for fold in folds])
    for rate in RATES:
        yield from told("probes, by the rule", everybody, rate, [(fold.part, fold.scores, fold.who) for fold in folds])
    unnamed = faces.embedding[faces.role == "distractor"]
    if len(unnamed):
        whole = calibrated(faces, np.unique(faces.identity[faces.identity >= 0]), detector, seed)
        template, _ = enrolled(faces, faces.identity >= 0)
        scores = all_scores(unnamed, template, faces.metric)
        for rate in RATES:
            yield from told("distractors", len(template), rate, [(whole, scores, np.arange(len(scores)))])


def told(
    what: str, size: int, rate: float, searched: list[tuple[Calibration, np.ndarray, np.ndarray]]
) -> Iterator[tuple[str, int, float, Values]]:
    """One figure, if the calibrations resolve it."""
    values = []
    for calibration, scores, who in searched:
        try:
            threshold = calibration.threshold(rate, size).score
        except CalibrationError:
            return
        count = alike(np.sort(scores, axis=1), np.array([threshold]))[:, 0]
        values.append((mistaken(size, scores.shape[1])[count], who))
    yield what, size, rate, values


@dataclass(frozen=True)
class Fold:
    """One part's probes as strangers.

    Attributes:
        whole: the calibration on all other parts' people.
        part: the calibration on a third of them.
        scores: (U, G) with these people.
        one: (U, G) the same where one face of each is enrolled.
        who: (U,) whom the probes show.
    """

    whole: Calibration
    part: Calibration
    scores: np.ndarray
    one: np.ndarray
    who: np.ndarray


def folded(faces: BenchmarkFaces, detector: Detector, seed: int) -> Iterator[Fold]:
    """Each part of the people against all others."""
    people = np.random.default_rng(seed).permutation(np.unique(faces.identity[faces.identity >= 0]))
    for fold in range(FOLDS):
        inside = people[np.arange(len(people)) % FOLDS != fold]
        rows = np.isin(faces.identity, np.setdiff1d(people, inside)) & (faces.role == "probe")
        templates = (enrolled(faces, np.isin(faces.identity, inside), one)[0] for one in (False, True))
        scores, one = (all_scores(faces.embedding[rows], template, faces.metric) for template in templates)
        whole, part = (calibrated(faces, chosen, detector, seed) for chosen in (inside, inside[: len(inside) // THIRD]))
        yield Fold(whole, part, scores, one, faces.identity[rows])


def calibrated(faces: BenchmarkFaces, people: np.ndarray, detector: Detector, seed: int) -> Calibration:
    """The calibration by some of the people."""
    rows = np.isin(faces.identity, people)
    return calibrate(faces.embedding[rows], faces.identity[rows], faces.role[rows], faces.metric, seed, detector, 2)


def enrolled(faces: BenchmarkFaces, wanted: np.ndarray, one: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """The templates of people's gallery faces, or of the first one of each, and whose they are."""
    rows = np.flatnonzero((faces.role == "gallery") & wanted)
    rows = rows[np.unique(faces.identity[rows], return_index=True)[1]] if one else rows
    average = "unit" if faces.metric == "cosine" else "raw"
    present = np.ones(len(rows), bool)
    return gallery_templates(faces.embedding[rows], faces.identity[rows], present, faces.metric, average)


def known(faces: BenchmarkFaces, detector: Detector, seed: int):
    """What, among how many people, at which rate: whether each mated probe is named rightly, and whom it shows."""
    calibration = calibrated(faces, np.unique(faces.identity[faces.identity >= 0]), detector, seed)
    for what, one in (("all gallery faces", False), ("one face each", True)):
        template, person = enrolled(faces, faces.identity >= 0, one)
        rows = (faces.role == "probe") & np.isin(faces.identity, person)
        scores, who = all_scores(faces.embedding[rows], template, faces.metric), faces.identity[rows]
        order = np.argsort(person)
        at = order[np.searchsorted(person[order], who)]
        own = scores[np.arange(len(scores)), at]
        others = np.array([np.delete(row, column) for row, column in zip(scores, at, strict=True)])
        for size in (10, len(template)):
            ahead = mistaken(size - 1, len(template) - 1)[(others >= own[:, None]).sum(axis=1)]
            for rate in RATES:
                try:
                    threshold = calibration.threshold(rate, size).score
                except CalibrationError:
                    continue
                yield what, size, rate, (1 - ahead) * (own >= threshold), who


if __name__ == "__main__":
    main()
