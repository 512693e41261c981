"""Everything the report shows, read from what the other stages wrote."""

import csv
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from lrfr import paths
from lrfr.config import Params
from lrfr.errors import ResultError
from lrfr.faces import read_faces
from lrfr.files import read_json

CONDITIONS = {"distractors": "with distractors", "no_distractors": "without distractors"}
HEADLINES = {"rank1": "rank-1", "rank20": "rank-20", "rank50": "rank-50", "map": "mAP", "map_official": "mAP, official"}
PRETRAINED, LANDMARKS = "pretrained", "landmarks"
UNTRAINED = "random"  # the method of untrained weights

Curve = dict[str, np.ndarray]  # column -> (rows,) float, NaN where the cell is blank
METADATA = ["face_id", "width", "height", "identity", "split"]


@dataclass(frozen=True)
class TestSet:
    """What the methods reached on one test set beside the benchmark, by method; curves by kind, then by method."""

    protocol: str
    figures: dict[str, dict[str, Any]]
    curves: dict[str, dict[str, Curve]]


@dataclass(frozen=True)
class Results:
    """One run's results; ``benchmark`` and ``auxiliary`` are face tables without their images."""

    params: Params
    metrics: dict[str, dict[str, dict[str, Any]]]  # method -> condition -> figures
    trains_on: dict[str, str | None]  # method -> native, auxiliary, both joined by +, or None
    metric: dict[str, str]  # method -> what its embeddings are compared by
    rejection: dict[str, dict[str, Any]]  # method -> figures of the error-versus-reject curves
    sets: dict[str, TestSet]
    probes: dict[str, dict[str, np.ndarray]]  # method -> what became of each probe of the benchmark
    cmc: dict[str, Curve]
    pr: dict[str, Curve]
    erc: dict[str, Curve]
    training: dict[str, Curve]  # what the methods begin from or are tested with first
    landmarks: dict[str, Any]
    landmark_error: Curve  # by the height of the face
    fidelity: dict[str, dict[str, Any]]  # super-resolution network -> how true its faces are to the originals
    detection: dict[str, Any]
    curation: dict[str, Any]
    labellers: dict[str, Any]
    validation: dict[str, Any]
    inspection: list[dict[str, Any]]  # of the SynLR set, and of the synthetic faces
    drift: dict[str, dict[str, Any]]
    benchmark: pa.Table
    auxiliary: pa.Table

    def by_rank1(self) -> list[str]:
        """The methods, best rank-1 with distractors first."""
        return sorted(self.metrics, key=lambda name: (-self.metrics[name]["distractors"]["rank1"], name))


def read_results(params: Params) -> Results:
    """Reads the results of every method that is compared, and of every network and synthesiser in the parameters.

    Raises:
        ResultError: a result is missing or unreadable; it says which file, and which stage writes it.
        FaceTableError: a face table is missing or breaks the schema.
    """
    methods, networks = params.compare, list(params.super_resolution)
    evaluated = {method: read_json(paths.metrics(method), f"lrfr evaluate {method}") for method in methods}
    cmc, pr, erc = (
        {method: read_curve(paths.curve(kind, method), f"lrfr evaluate {method}") for method in methods}
        for kind in ("cmc", "pr", "erc")
    )
    return Results(
        params=params,
        metrics={method: _headlines(method, found.get("tinyface", {})) for method, found in evaluated.items()},
        trains_on={method: found.get("trains_on") for method, found in evaluated.items()},
        metric={method: found.get("metric", params.evaluate.metric) for method, found in evaluated.items()},
        rejection={method: found.get("erc", {}) for method, found in evaluated.items()},
        sets=_sets(["synlr", *params.evaluation_sets], evaluated),
        probes={method: _probes(method) for method in methods},
        cmc=cmc,
        pr=pr,
        erc=erc,
        training=_training(methods, networks),
        landmarks=read_json(paths.LANDMARK_METRICS, "lrfr train-landmarks"),
        landmark_error=read_curve(paths.LANDMARK_ERROR, "lrfr train-landmarks"),
        fidelity={name: read_json(paths.super_resolution_metrics(name), f"lrfr train-sr {name}") for name in networks},
        detection=read_json(paths.DETECTION_METRICS, "lrfr detect"),
        curation=read_json(paths.CURATION_METRICS, "lrfr curate"),
        labellers=read_json(paths.LABELLER_METRICS, "lrfr curate"),
        validation=read_json(paths.VALIDATION_RESULT, "lrfr validate"),
        inspection=[
            read_json(path, "lrfr validate-synthetic") for path in (paths.SYNLR_VALIDATION, paths.SYNTHETIC_VALIDATION)
        ],
        drift={name: read_json(paths.drift_result(name), f"lrfr drift {name}") for name in params.synthesizers},
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
    with path.open(newline="", encoding="utf-8") as lines:
        header, *rows = list(csv.reader(lines)) or [[]]
    try:
        cells = [[float(cell) if cell else np.nan for cell in row] for row in rows]
        values = np.array(cells, dtype=float).reshape(len(rows), len(header))
    except ValueError as error:
        raise ResultError(f"not a table of numbers: {error}", where=path, remedy=f"run again: {command}") from error
    return dict(zip(header, values.T, strict=True))


def _headlines(method: str, figures: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """One method's figures on the benchmark, by condition; each headline is there with its interval."""
    needed = [*HEADLINES, *(f"{name}_interval" for name in HEADLINES)]
    missing = [f"{part}.{name}" for part in CONDITIONS for name in needed if name not in figures.get(part, {})]
    if missing:
        what = f"figures are missing: {', '.join(missing)}"
        raise ResultError(what, where=paths.metrics(method), remedy=f"run again: lrfr evaluate {method}")
    return figures


def _sets(names: list[str], evaluated: dict[str, dict[str, Any]]) -> dict[str, TestSet]:
    """The results on the SynLR set and on each imported test set."""
    sets = {}
    for name in names:
        lacking = [method for method, found in evaluated.items() if name not in found.get("sets", {})]
        if lacking:
            where, remedy = paths.metrics(lacking[0]), f"run again: lrfr evaluate {lacking[0]}"
            raise ResultError(f"there is no result on the test set '{name}'", where=where, remedy=remedy)
        figures = {method: found["sets"][name] for method, found in evaluated.items()}
        sets[name] = TestSet(next(iter(figures.values()))["protocol"], figures, _set_curves(list(evaluated), name))
    return sets


def _set_curves(methods: list[str], test_set: str) -> dict[str, dict[str, Curve]]:
    """Every curve of a test set by its kind, then by method."""
    kinds = {path.stem for path in paths.set_curve(methods[0], test_set, "any").parent.glob("*.csv")}
    return {
        kind: {
            method: read_curve(paths.set_curve(method, test_set, kind), f"lrfr evaluate {method}") for method in methods
        }
        for kind in sorted(kinds)
    }


def _probes(method: str) -> dict[str, np.ndarray]:
    path, remedy = paths.evaluated(method), f"lrfr evaluate {method}"
    if not path.is_file():
        raise ResultError("a result is missing", where=path, remedy=remedy)
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in ("face_id", "identity", "rank", "average_precision")}
    except (ValueError, KeyError, zipfile.BadZipFile, EOFError) as error:
        raise ResultError(f"not a result of evaluate: {error}", where=path, remedy=f"run again: {remedy}") from error


def _training(methods: list[str], networks: list[str]) -> dict[str, Curve]:
    commands = {PRETRAINED: "lrfr pretrain", LANDMARKS: "lrfr train-landmarks"}
    commands |= {f"super_resolution_{name}": f"lrfr train-sr {name}" for name in networks}
    commands |= {method: f"lrfr finetune {method}" for method in methods}
    return {name: read_curve(paths.curve("training", name), command) for name, command in commands.items()}
