"""evaluate: the protocols, on one run's embeddings of every test set. Needs neither a model nor torch."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from lrfr import paths
from lrfr.config import BENCHMARK, read_params, settings
from lrfr.errors import EmbeddingError, unknown_name
from lrfr.files import atomic_path, write_csv, write_json
from lrfr.progress import track
from lrfr.protocols import recognizability
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.embeddings import Embeddings
from lrfr.protocols.options import Evaluate, options_for
from lrfr.protocols.outcome import Outcome
from lrfr.protocols.stored import read_stored
from lrfr.test_sets import TestSet, test_sets


def run(name: str) -> None:
    """Writes metrics/runs/RUN.json, a curve of each kind for every test set, and data/evaluated/RUN.npz.

    The latter has an entry for each probe of the benchmark, with distractors: ``face_id`` and ``identity`` (P,),
    ``rank`` (P,) int64, ``average_precision`` (P,) 0..1.

    Raises:
        ParameterError: there is no such run.
        EmbeddingError: embeddings are missing, damaged, of several models, or cannot be scored.
        BenchmarkError, FaceTableError: a test set lacks what its protocol needs.
    """
    params = read_params()
    if name not in params.methods:
        raise unknown_name("run", name, params.methods, f"{paths.PARAMS}: methods")
    chosen = settings(params.evaluate, Evaluate, f"{paths.PARAMS}: evaluate")
    sets = {test_set.name: test_set for test_set in test_sets(params)}
    figures: dict[str, Any] = {}
    facts: Mapping[str, Any] = {}
    for test_set in track(list(sets.values()), f"evaluating {name}", unit="test set"):
        protocol = import_module(f"lrfr.protocols.{test_set.protocol}")
        tables, embeddings = _read(name, test_set)
        beside = {"beside": _read(name, sets[protocol.BESIDE])} if hasattr(protocol, "BESIDE") else {}
        _check_model(name, test_set.name, embeddings.facts, facts or embeddings.facts)
        facts = embeddings.facts
        options = options_for(chosen, embeddings.facts["metric"])
        outcome = protocol.evaluate(tables, embeddings, options, params.seed, **beside)
        figures[test_set.name] = _figures(test_set, embeddings, outcome)
        for kind, curve in outcome.curves.items():
            columns = [column.tolist() for column in curve.columns.values()]
            write_csv(paths.curve(name, test_set.name, kind), list(curve.columns), zip(*columns, strict=True))
        if test_set.name == "benchmark":
            with atomic_path(paths.evaluated(name)) as temporary, temporary.open("wb") as file:
                np.savez(file, allow_pickle=False, **outcome.per_probe)
    figures[BENCHMARK] |= _recognizability(name, sets, params.synlr.get("faces"))
    write_json(
        paths.metrics(name),
        {
            "run": name,
            "method": params.methods[name].get("method"),
            "backbone": params.methods[name].get("backbone"),
            **{fact: facts[fact] for fact in ("metric", "presentation", "trained")},
            "sets": figures,
        },
    )


def _recognizability(run: str, sets: Mapping[str, TestSet], hr: object) -> dict[str, Any]:
    """What the run's own quality says of unrecognizable faces, of the benchmark's and of those of the set named ``hr``;
    nothing where it predicts none."""
    tables, embeddings = _read(run, sets[BENCHMARK])
    if embeddings.quality is None:
        return {}
    others: dict[str, np.ndarray] = {}
    with np.load(paths.unrecognizable_embeddings(run), allow_pickle=False) as stored:
        others["unrecognizable"] = stored["quality"]
    sharp = _read(run, sets[str(hr)])[1].quality if hr in sets else None
    if sharp is not None:
        others["hr"] = sharp
    figures, curve = recognizability.evaluate(tables, embeddings, others)
    columns = [column.tolist() for column in curve.columns.values()]
    write_csv(paths.curve(run, BENCHMARK, "quality"), list(curve.columns), zip(*columns, strict=True))
    return {"recognizability": figures}


def _check_model(run: str, test_set: str, facts: Mapping[str, Any], others: Mapping[str, Any]) -> None:
    """Raises where a set was embedded by another model, or in another way, than the sets before it."""
    if facts != others:
        differ = ", ".join(sorted(key for key in {*facts, *others} if facts.get(key) != others.get(key)))
        what = f"the embeddings of '{test_set}' are not of the model of the other test sets: {differ} differs"
        raise EmbeddingError(what, where=paths.embeddings(run, test_set), remedy=f"lrfr embed {run}")


def _figures(test_set: TestSet, embeddings: Embeddings, outcome: Outcome) -> dict[str, Any]:
    unaligned = None if embeddings.unaligned is None else int(embeddings.unaligned.sum())
    told = {"protocol": test_set.protocol, "n_unaligned": unaligned, "definitions": outcome.definitions}
    return told | outcome.figures


def _read(run: str, test_set: TestSet) -> tuple[Benchmark, Embeddings]:
    """The tables of a test set, and one run's embeddings of its faces."""
    return read_stored(run, test_set.name, test_set.faces, test_set.has_lists)
