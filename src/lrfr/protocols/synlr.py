"""SynLR: the SynLR set out of down-sampled HR faces, beside the same faces of the native one.

Cheng, Zhu & Gong, "Low-Resolution Face Recognition", ACCV 2018, Table 4: the same counts and the same partition, so
that native and synthetic low resolution can be compared like for like. Where there were too few HR faces the SynLR set
is the smaller one, and a small gallery is an easy one: the native benchmark is then cut down to the faces that the
SynLR set has.
"""

from dataclasses import replace

import numpy as np

from lrfr.core.inputs import UNKNOWN
from lrfr.errors import BenchmarkError
from lrfr.protocols import tinyface
from lrfr.protocols.benchmark import Benchmark, places
from lrfr.protocols.embeddings import Embeddings
from lrfr.protocols.options import Options
from lrfr.protocols.outcome import Outcome

BESIDE = "benchmark"  # the test set that it is compared with


def evaluate(
    synthetic: Benchmark, embeddings: Embeddings, options: Options, seed: int, beside: tuple[Benchmark, Embeddings]
) -> Outcome:
    """TinyFace's identification of the SynLR set, and under ``native`` that of the same faces of the benchmark.

    Raises:
        BenchmarkError: a face of the SynLR set stands in for none of the benchmark.
    """
    options = options.model_copy(update={"super_resolution": []})  # of these faces as they are
    benchmark, of_benchmark = beside
    rows = native_rows(benchmark, synthetic)
    outcome = tinyface.identification(synthetic, embeddings, options, seed)
    native = tinyface.identification(benchmark.take(rows), of_benchmark.take(rows), options, seed)
    definitions = outcome.definitions | {"native": "the benchmark cut down to the faces that the SynLR set has"}
    return replace(outcome, figures=outcome.figures | {"native": native.figures}, definitions=definitions)


def native_rows(native: Benchmark, synthetic: Benchmark) -> np.ndarray:
    """The rows of the native benchmark that the SynLR set's faces stand in for, ascending.

    Raises:
        BenchmarkError: a face of the SynLR set stands in for none of the benchmark.
    """
    stands_for = places(native.faces["face_id"], synthetic.attribute("native_face_id").combine_chunks())
    rows = np.flatnonzero(stands_for != UNKNOWN)
    if len(rows) != synthetic.faces.num_rows:
        what = f"{synthetic.faces.num_rows} faces of the SynLR set stand in for {len(rows)} of the benchmark"
        raise BenchmarkError(what, remedy="lrfr synlr")
    return rows
