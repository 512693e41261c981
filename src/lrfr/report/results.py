"""Everything the report shows, read from what the other stages wrote."""

import csv
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
PRETRAINED = "pretrained"

Curve = dict[str, np.ndarray]  # column -> (rows,) float, NaN where the cell is blank
METADATA = ["face_id", "width", "height", "identity", "split"]


@dataclass(frozen=True)
class Results:
    """One run's results; ``benchmark`` and ``auxiliary`` are face tables without their images."""

    params: Params
    metrics: dict[str, dict[str, dict[str, Any]]]  # method -> condition -> figures
    cmc: dict[str, Curve]
    pr: dict[str, Curve]
    training: dict[str, Curve]  # the pretraining first
    detection: dict[str, Any]
    curation: dict[str, Any]
    validation: dict[str, Any]
    drift: dict[str, dict[str, Any]]
    benchmark: pa.Table
    auxiliary: pa.Table


def read_results(params: Params) -> Results:
    """Reads the results of every method and synthesiser in the parameters.

    Raises:
        ResultError: a result is missing or unreadable; it says which file, and which stage writes it.
        FaceTableError: a face table is missing or breaks the schema.
    """
    methods = list(params.methods)
    return Results(
        params=params,
        metrics={method: _metrics(method) for method in methods},
        cmc={method: read_curve(paths.curve("cmc", method), f"lrfr evaluate {method}") for method in methods},
        pr={method: read_curve(paths.curve("pr", method), f"lrfr evaluate {method}") for method in methods},
        training=_training(methods),
        detection=read_json(paths.DETECTION_METRICS, "lrfr detect"),
        curation=read_json(paths.CURATION_METRICS, "lrfr curate"),
        validation=read_json(paths.VALIDATION_RESULT, "lrfr validate"),
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


def _metrics(method: str) -> dict[str, dict[str, Any]]:
    """One method's figures by condition; each headline is there with its interval."""
    path, command = paths.metrics(method), f"lrfr evaluate {method}"
    figures = read_json(path, command).get("tinyface", {})
    needed = [*HEADLINES, *(f"{name}_interval" for name in HEADLINES)]
    missing = [f"{part}.{name}" for part in CONDITIONS for name in needed if name not in figures.get(part, {})]
    if missing:
        raise ResultError(f"figures are missing: {', '.join(missing)}", where=path, remedy=f"run again: {command}")
    return figures


def _training(methods: list[str]) -> dict[str, Curve]:
    commands = {PRETRAINED: "lrfr pretrain"} | {method: f"lrfr finetune {method}" for method in methods}
    return {name: read_curve(paths.curve("training", name), command) for name, command in commands.items()}
