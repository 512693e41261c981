"""Closed-set identification of some faces of a test set among others of it."""

import numpy as np

from lrfr.core.identification import ClosedSet, closed_set
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.embeddings import Embeddings


def identify(
    benchmark: Benchmark, embeddings: Embeddings, probe: np.ndarray, gallery: np.ndarray, metric: str
) -> ClosedSet:
    """Searches the faces in the rows ``probe`` (P,) among those in the rows ``gallery`` (G,)."""
    vectors, missing, identity = embeddings.of(), embeddings.missing, benchmark.identity
    return closed_set(
        vectors[probe], identity[probe], vectors[gallery], identity[gallery], metric,
        probe_missing=missing[probe], gallery_missing=missing[gallery], called=benchmark.called,
    )  # fmt: skip
