"""SynLR: the SynLR set out of down-sampled HR faces, beside the same faces of the native one.

Cheng, Zhu & Gong, "Low-Resolution Face Recognition", ACCV 2018, Table 4: the same counts and the same partition, so
that native and synthetic low resolution can be compared like for like. Where there were too few HR faces the SynLR set
is the smaller one, and a small gallery is an easy one: the native benchmark is then cut down to the faces that the
SynLR set has.
"""

from dataclasses import replace

from lrfr.config import Evaluate
from lrfr.core.inputs import UNKNOWN
from lrfr.errors import BenchmarkError
from lrfr.protocols import tinyface
from lrfr.protocols.benchmark import Benchmark, places
from lrfr.protocols.embeddings import Embeddings
from lrfr.protocols.outcome import Outcome
from lrfr.protocols.tinyface import views

__all__ = ["conditions", "evaluate", "native_faces", "views"]


def conditions(options: Evaluate) -> tuple[str, ...]:
    """The images as they are, alone."""
    return ()


def native_faces(native: Benchmark, synlr: Benchmark) -> Benchmark:
    """The faces of the native benchmark that the SynLR set's stand in for, in the native order.

    Raises:
        BenchmarkError: a face of the SynLR set stands in for none of the benchmark.
    """
    stands_for = places(native.faces["face_id"], synlr.attribute("native_face_id").combine_chunks())
    found = native.faces.filter(stands_for != UNKNOWN)
    if found.num_rows != synlr.faces.num_rows:
        what = f"{synlr.faces.num_rows} faces of the SynLR set stand in for {found.num_rows} of the benchmark"
        raise BenchmarkError(what, remedy="lrfr synlr")
    return Benchmark(found)


def evaluate(
    synlr: Benchmark,
    embeddings: Embeddings,
    options: Evaluate,
    seed: int,
    native: Benchmark,
    native_embeddings: Embeddings,
) -> Outcome:
    """TinyFace's figures and curves of the SynLR set, and under ``native`` those figures of the same native faces."""
    options = options.model_copy(update={"aligned": False, "super_resolution": []})  # of these faces as they are
    outcome = tinyface.evaluate(synlr, embeddings, options, seed)
    beside = tinyface.evaluate(native, native_embeddings, options, seed)
    definitions = outcome.definitions | {"native": "the benchmark cut down to the faces that the SynLR set has"}
    return replace(outcome, figures=outcome.figures | {"native": beside.figures}, definitions=definitions)
