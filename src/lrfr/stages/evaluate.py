"""evaluate: the protocols, on one method's embeddings of every test set. Needs neither a model nor torch."""

import csv
import io
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lrfr import paths
from lrfr.config import Evaluate, Params, read_params
from lrfr.errors import unknown_name
from lrfr.faces import ENROLMENT_SCHEMA, PAIR_SCHEMA, read_faces, read_table
from lrfr.files import atomic_path, write_json, write_text
from lrfr.progress import track
from lrfr.protocols import erc, protocol, synlr, tinyface
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.embeddings import Embeddings, read_embeddings
from lrfr.protocols.outcome import Curve, Outcome
from lrfr.sources import source


def run(name: str) -> None:
    """Writes metrics/METHOD.json, the curves, and data/evaluated/METHOD.npz.

    The latter has an entry for each probe of the benchmark, with distractors: ``face_id`` and ``identity`` (P,),
    ``rank`` (P,) int64, ``average_precision`` (P,) 0..1.

    Raises:
        ParameterError: there is no such method.
        EmbeddingError: embeddings are missing, damaged or cannot be scored.
        BenchmarkError, FaceTableError: a test set lacks what its protocol needs.
    """
    params = read_params()
    if name not in params.methods:
        raise unknown_name("method", name, params.methods, f"{paths.PARAMS}: methods")
    benchmark = Benchmark(_tested(paths.BENCHMARK))
    embeddings = _embeddings(name, "benchmark", benchmark)
    params = params.model_copy(update={"evaluate": compared_by(params.evaluate, embeddings.metric)})
    native, rejected = (used.evaluate(benchmark, embeddings, params.evaluate, params.seed) for used in (tinyface, erc))
    sets = {"synlr": ("synlr", _evaluate_synlr(name, benchmark, params))} | _evaluate_sets(name, params)
    write_json(
        paths.metrics(name),
        {
            "method": name,
            "metric": params.evaluate.metric,
            "trains_on": embeddings.trains_on,
            "tinyface": native.figures,
            "definitions": native.definitions,
            "erc": {**rejected.figures, "definitions": rejected.definitions},
            "sets": {
                test_set: {"protocol": protocol_name, **outcome.figures, "definitions": outcome.definitions}
                for test_set, (protocol_name, outcome) in sets.items()
            },
        },
    )
    for kind, curve in (native.curves | rejected.curves).items():
        _write_curve(paths.curve(kind, name), curve)
    for test_set, (_, outcome) in sets.items():
        for kind, curve in outcome.curves.items():
            _write_curve(paths.set_curve(name, test_set, kind), curve)
    with atomic_path(paths.evaluated(name)) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **native.per_probe)


def compared_by(options: Evaluate, metric: str | None) -> Evaluate:
    """How the protocols are run for a method whose paper compares embeddings by ``metric``; None: as params.yaml says.

    The Euclidean distance takes embeddings as they are, so that nothing may normalise them.
    """
    if metric is None or metric == options.metric:
        return options
    readings = {"average": "raw", "thresholds": "exact"} if metric == "euclidean" else {}
    return Evaluate.model_validate(options.model_dump() | {"metric": metric} | readings)


def _evaluate_synlr(name: str, native: Benchmark, params: Params) -> Outcome:
    """The outcome for the SynLR set, beside the same faces of the benchmark."""
    synthetic = Benchmark(_tested(paths.SYNLR))
    native = synlr.native_faces(native, synthetic)
    sides = _embeddings(name, "synlr", synthetic), _embeddings(name, "benchmark", native)
    return synlr.evaluate(synthetic, sides[0], params.evaluate, params.seed, native, sides[1])


def _evaluate_sets(name: str, params: Params) -> dict[str, tuple[str, Outcome]]:
    """The protocol's name and the outcome for each imported test set."""
    outcomes = {}
    for test_set, chosen in track(list(params.evaluation_sets.items()), f"evaluating {name}", unit="test set"):
        protocol_name, benchmark = source(chosen.source).PROTOCOL, _imported(test_set)
        embeddings = _embeddings(name, test_set, benchmark)
        outcome = protocol(protocol_name).evaluate(benchmark, embeddings, params.evaluate, params.seed)
        outcomes[test_set] = protocol_name, outcome
    return outcomes


def _embeddings(name: str, test_set: str, benchmark: Benchmark) -> Embeddings:
    """One method's embeddings of one test set."""
    face_ids = benchmark.faces["face_id"].to_pylist()
    return read_embeddings(paths.embeddings(name, test_set), face_ids, f"lrfr embed {name}")


def _imported(test_set: str) -> Benchmark:
    """The tables of an imported test set."""
    pairs, enrolment = paths.test_set(test_set, "pairs"), paths.test_set(test_set, "enrolment")
    return Benchmark(
        _tested(paths.test_set(test_set)),
        read_table(pairs, PAIR_SCHEMA),
        read_table(enrolment, ENROLMENT_SCHEMA),
    )


def _tested(path: Path) -> pa.Table:
    """A face table without its images and without the faces that train."""
    faces = read_faces(path)
    return faces.filter(pc.not_equal(faces["split"], "train").fill_null(True))


def _write_curve(path: Path, curve: Curve) -> None:
    """Writes a curve as CSV; a value that there is not is a blank cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(curve.columns)
    for row in zip(*(column.tolist() for column in curve.columns.values()), strict=True):
        writer.writerow([_cell(value) for value in row])
    write_text(path, text.getvalue())


def _cell(value: float) -> object:
    if isinstance(value, int):
        return value
    return "" if math.isnan(value) else float(f"{value:.6g}")
