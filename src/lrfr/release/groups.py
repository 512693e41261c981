"""Identification by groups of probes: by how large the face is, and by whatever groups the data has."""

import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lrfr.core.bootstrap import rounded_means
from lrfr.errors import ResultError
from lrfr.protocols.benchmark import Benchmark

EDGES = (8, 12, 16, 20, 24, 32)  # px, of the shorter side
MOST_VALUES = 12  # of an attribute that makes groups, of two probes and more; a file's name tells faces apart
NO_GROUPS = ("missing", "collection", "super_resolved")  # attributes of the pipeline's own
UNSTATED = "not stated"


def read_groups(evaluated: Path, faces: pa.Table, draws: int, seed: int) -> dict[str, list[dict[str, Any]]]:
    """Rank-1 and mAP with distractors of each group of the benchmark's probes, with 95 % bootstrap intervals.

    Args:
        evaluated: what became of each probe, as the stage evaluate stored it.
        faces: ``face_id``, ``width``, ``height`` and ``attributes`` of at least these probes.
        draws: of the bootstrap over identities.
        seed: of the draws.

    Returns:
        By ``size`` and by each attribute that makes groups: a row for each group that has probes, with ``group``,
        ``n_probe``, ``n_identities``, ``rank1``, ``map`` and their intervals, null where one identity is all there is.

    Raises:
        ResultError: the file is missing or damaged, or is about other faces.
    """
    ids, identity, figures = _read_outcomes(evaluated)
    rows = pc.index_in(pa.array(ids.tolist(), pa.string()), value_set=faces["face_id"].combine_chunks())
    if rows.null_count:
        what = f"{rows.null_count} probes are no faces of the benchmark"
        raise ResultError(what, where=evaluated, remedy="make both anew: dvc repro")
    probes = faces.take(rows)
    return {
        name: [
            _row(group, members, figures, identity, draws, seed)
            for group, members in ((value, labels == value) for value in order)
            if members.any()
        ]
        for name, labels, order in (_sizes(probes), *_attributes(probes))
    }


def _read_outcomes(path: Path) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Face ids (P,), identities (P,), and what each figure is the mean of, (P,) each."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            figures = {"rank1": stored["rank"] == 1, "map": stored["average_precision"]}
            return stored["face_id"], stored["identity"], figures
    except FileNotFoundError as error:
        raise ResultError("a result is missing", where=path, remedy="dvc repro") from error
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ResultError(
            f"what became of the probes cannot be read: {error}", where=path, remedy="dvc repro"
        ) from error


def _row(
    group: str, members: np.ndarray, figures: dict[str, np.ndarray], identity: np.ndarray, draws: int, seed: int
) -> dict[str, Any]:
    people = identity[members]
    found = rounded_means({name: values[members] for name, values in figures.items()}, people, draws, seed)
    return {"group": group, "n_probe": int(members.sum()), "n_identities": len(np.unique(people)), **found}


def _sizes(probes: pa.Table) -> tuple[str, np.ndarray, list[str]]:
    side = np.minimum(probes["width"].to_numpy(), probes["height"].to_numpy())
    between = [f"{low} to {high - 1} px" for low, high in pairwise(EDGES)]
    names = [f"below {EDGES[0]} px", *between, f"{EDGES[-1]} px and more"]
    return "size", np.array(names)[np.searchsorted(EDGES, side, side="right")], names


def _attributes(probes: pa.Table) -> Iterator[tuple[str, np.ndarray, list[str]]]:
    keys = {key for pairs in probes["attributes"].to_pylist() for key, _ in pairs or ()}
    for key in sorted(keys - {*NO_GROUPS}):
        labels = np.array(pc.fill_null(Benchmark(probes).attribute(key), UNSTATED).to_pylist(), np.str_)
        values = sorted(set(labels.tolist()), key=lambda value: (value == UNSTATED, value))
        if 2 <= len(values) <= min(MOST_VALUES, len(labels) // 2):
            yield key, labels, values
