"""Everything the report shows, read from what the other stages wrote."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from lrfr import paths
from lrfr.config import Params
from lrfr.errors import ResultError
from lrfr.faces import read_faces
from lrfr.files import DAMAGE, read_json

BENCHMARK = "benchmark"  # the test set that the leaderboard shows
PARTS = {"distractors": "with distractors", "no_distractors": "without distractors"}  # of TinyFace's gallery
HEADLINES = {"rank1": "rank-1", "rank20": "rank-20", "rank50": "rank-50", "map": "mAP", "map_official": "mAP, official"}
QUALITY = "quality"  # the curve that only runs have that predict one
UNTRAINED = "random"  # the method of untrained weights
METADATA = ["face_id", "width", "height", "identity", "split"]
MADE_HERE = {BENCHMARK: paths.BENCHMARK, "synlr": paths.SYNLR}  # test sets that are not imported

Curve = dict[str, np.ndarray]  # column -> (rows,) float, NaN where the cell is blank


@dataclass(frozen=True)
class Run:
    """What one run is, as evaluate wrote it down.

    Attributes:
        method: by the paper's name.
        backbone: what it started from.
        metric: what its embeddings are compared by, cosine or euclidean.
        presentation: how faces are presented, as_cropped or the template that they are aligned to.
        trained: its trainings in order, pretraining first: each the ``faces`` and the ``passes`` over them by
            collection, and the ``updates``. Empty for untrained weights.
    """

    method: str
    backbone: str
    metric: str
    presentation: str
    trained: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class TestSet:
    """What the runs reached on one test set: ``figures`` by run, ``curves`` by kind, then by run."""

    protocol: str
    faces: Path
    figures: dict[str, dict[str, Any]]
    curves: dict[str, dict[str, Curve]]


class TrainingCurve(NamedTuple):
    """How one training went; ``run`` is None where it is no run's own."""

    title: str
    run: str | None
    curve: Curve


@dataclass(frozen=True)
class Results:
    """What all stages found; ``benchmark`` and ``auxiliary`` are face tables without their images."""

    params: Params
    runs: dict[str, Run]
    sets: dict[str, TestSet]
    probes: dict[str, dict[str, np.ndarray]]  # run -> what became of each probe of the benchmark
    training: list[TrainingCurve]
    landmarks: dict[str, Any]
    landmark_error: Curve  # by the height of the face
    fidelity: dict[str, dict[str, Any]]  # super-resolution network -> how true its faces are to the originals
    detection: dict[str, Any]
    curation: dict[str, Any]
    labellers: dict[str, Any]
    validation: dict[str, Any]
    synthetic_validation: list[dict[str, Any]]  # of the SynLR set, and of the synthetic faces
    drift: dict[str, dict[str, Any]]
    scoreboard: dict[str, Any]  # of the synthesisers
    benchmark: pa.Table
    auxiliary: pa.Table

    def by_rank1(self) -> list[str]:
        """The runs, best rank-1 on the benchmark with distractors first."""
        figures = self.sets[BENCHMARK].figures
        return sorted(self.runs, key=lambda name: (-figures[name]["distractors"]["rank1"], name))

    def floor(self) -> str | None:
        """The run with untrained weights, of several the best; None where there is none."""
        return next((name for name in self.by_rank1() if self.runs[name].method == UNTRAINED), None)


def runs(params: Params) -> list[str]:
    """The names of the runs, in the order of the parameters."""
    return list(params.methods)


def read_results(params: Params) -> Results:
    """Reads the results of every run, and of every network and synthesiser in the parameters.

    Raises:
        ResultError: a result is missing or unreadable; it says which file, and which stage writes it.
        FaceTableError: a face table is missing or breaks the schema.
    """
    names, networks = runs(params), list(params.super_resolution)
    evaluated = {name: read_json(paths.metrics(name), f"lrfr evaluate {name}") for name in names}
    described = {name: _run(name, found) for name, found in evaluated.items()}
    return Results(
        params=params,
        runs=described,
        sets={test_set: _test_set(test_set, evaluated) for test_set in (BENCHMARK, "synlr", *params.evaluation_sets)},
        probes={name: _probes(name) for name in names},
        training=_training(described, networks, list(params.learned_synthesizers)),
        landmarks=read_json(paths.LANDMARK_METRICS, "lrfr train-landmarks"),
        landmark_error=read_curve(paths.LANDMARK_ERROR, "lrfr train-landmarks"),
        fidelity={name: read_json(paths.super_resolution_metrics(name), f"lrfr train-sr {name}") for name in networks},
        detection=read_json(paths.DETECTION_METRICS, "lrfr detect"),
        curation=read_json(paths.CURATION_METRICS, "lrfr curate"),
        labellers=read_json(paths.LABELLER_METRICS, "lrfr curate"),
        validation=read_json(paths.VALIDATION_RESULT, "lrfr validate"),
        synthetic_validation=[
            read_json(path, "lrfr validate-synthetic") for path in (paths.SYNLR_VALIDATION, paths.SYNTHETIC_VALIDATION)
        ],
        drift={name: read_json(paths.drift_result(name), "lrfr drift") for name in params.all_synthesizers},
        scoreboard=read_json(paths.SCOREBOARD, "lrfr rank-synthesizers"),
        benchmark=read_faces(paths.BENCHMARK, METADATA),
        auxiliary=read_faces(paths.AUXILIARY, METADATA),
    )


def read_curve(path: Path, command: str) -> Curve:
    """Reads a CSV of numbers; ``command`` is named in the error when the file is missing.

    Raises:
        ResultError: the file is missing, has no header, or a cell that is no number.
    """
    if not path.is_file():
        raise ResultError("a result is missing", where=path, remedy=command)
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            header, *rows = list(csv.reader(lines)) or [[]]
        cells = [[float(cell) if cell else np.nan for cell in row] for row in rows]
        values = np.array(cells, dtype=float).reshape(len(rows), len(header))
    except (ValueError, csv.Error) as error:
        raise ResultError(f"not a table of numbers: {error}", where=path, remedy=f"run again: {command}") from error
    return dict(zip(header, values.T, strict=True))


def _run(name: str, found: dict[str, Any]) -> Run:
    """What a run is; its figures on the benchmark are there, each headline with its interval."""
    told = ("method", "backbone", "metric", "presentation", "trained")
    missing = [key for key in told if key not in found]
    figures = found.get("sets", {}).get(BENCHMARK, {})
    headlines = [*HEADLINES, *(f"{headline}_interval" for headline in HEADLINES)]
    missing += [f"{part}.{key}" for part in PARTS for key in headlines if key not in figures.get(part, {})]
    missing += ["rejection"] if "rejection" not in figures else []
    if missing:
        what = f"figures are missing: {', '.join(missing)}"
        raise ResultError(what, where=paths.metrics(name), remedy=f"run again: lrfr evaluate {name}")
    return Run(**{key: found[key] for key in told})


def _test_set(name: str, evaluated: dict[str, dict[str, Any]]) -> TestSet:
    """What every run reached on one test set."""
    lacking = [run for run, found in evaluated.items() if name not in found["sets"]]
    if lacking:
        where, remedy = paths.metrics(lacking[0]), f"run again: lrfr evaluate {lacking[0]}"
        raise ResultError(f"there is no result on the test set '{name}'", where=where, remedy=remedy)
    figures = {run: found["sets"][name] for run, found in evaluated.items()}
    kinds = {path.stem for run in evaluated for path in paths.curve(run, name, "any").parent.glob("*.csv")}
    curves = {
        kind: {
            run: read_curve(paths.curve(run, name, kind), f"lrfr evaluate {run}")
            for run in evaluated
            if kind != QUALITY or paths.curve(run, name, kind).is_file()
        }
        for kind in sorted(kinds)
    }
    faces = MADE_HERE.get(name) or paths.test_set(name)
    return TestSet(next(iter(figures.values()))["protocol"], faces, figures, curves)


def _probes(run: str) -> dict[str, np.ndarray]:
    path, remedy = paths.evaluated(run), f"lrfr evaluate {run}"
    if not path.is_file():
        raise ResultError("a result is missing", where=path, remedy=remedy)
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in ("face_id", "identity", "rank", "average_precision")}
    except DAMAGE as error:
        raise ResultError(f"not a result of evaluate: {error}", where=path, remedy=f"run again: {remedy}") from error


def _training(described: dict[str, Run], networks: list[str], synthesizers: list[str]) -> list[TrainingCurve]:
    """The trainings in the order of the pipeline: landmarks, super-resolution, backbones, synthesisers, runs."""
    backbones = dict.fromkeys(run.backbone for run in described.values())
    trainings = [("landmarks", None, paths.LANDMARK_CURVE, "lrfr train-landmarks")]
    for kind, names, title, command in (
        ("super_resolution", networks, "super-resolution {}", "lrfr train-sr"),
        ("backbones", backbones, "backbone {}", "lrfr pretrain"),
        ("synthesizers", synthesizers, "synthesizer {}", "lrfr train-synthesizer"),
    ):
        trainings += [
            (title.format(name), None, paths.training_curve(kind, name), f"{command} {name}") for name in names
        ]
    trainings += [(name, name, paths.training_curve("runs", name), f"lrfr finetune {name}") for name in described]
    return [TrainingCurve(title, run, read_curve(path, command)) for title, run, path, command in trainings]
