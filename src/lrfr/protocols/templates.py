"""Templates: several images of one person enrolled as one vector, and the lists of who is searched for in whom."""

import numpy as np
import pyarrow as pa

from lrfr.core.gallery_search import Search, Templates
from lrfr.core.inputs import UNKNOWN
from lrfr.core.qualities.weights import weights
from lrfr.core.template_pooling import templates
from lrfr.errors import BenchmarkError
from lrfr.protocols.benchmark import Benchmark, names, places

NORMS = {"keep_norm": "keep", "unit_norm": "unit"}
"""Whether embeddings enter a template with their norm or without; both are in public use, under one another's name."""

QUALITY = "quality"
"""Without their norm, and weighted by the quality that the model predicts."""

PLAIN = "unit_norm"
"""What weighting by quality is compared with."""


def enrol(
    benchmark: Benchmark,
    embedding: np.ndarray,
    missing: np.ndarray,
    norm: str,
    detector_score: bool = False,
    quality: np.ndarray | None = None,
) -> Templates:
    """Every template of a test set: the mean within each media id, summed over media, then of length 1.

    Args:
        benchmark: whose faces have the attributes ``template`` and ``media``; without the latter each is its own.
        embedding: (N, D), in the order of the faces.
        missing: (N,) bool: faces that no template can count on.
        norm: ``keep_norm``, ``unit_norm`` or ``quality``.
        detector_score: whether an image counts by the detector's score of its face, as in insightface's evaluation.
        quality: (N,) of the faces, by which they count where ``norm`` is ``quality``.

    Raises:
        BenchmarkError: no face has a template; or one has no score above 0 to count by.
    """
    enrolled, media = benchmark.attribute("template"), benchmark.attribute("media")
    ids = names(enrolled)
    if not len(ids):
        raise BenchmarkError("no face of the test set belongs to a template", remedy="lrfr import-testset")
    template, medium = places(enrolled, ids), places(media, names(media))
    alone = medium == UNKNOWN
    medium[alone] = medium.max(initial=UNKNOWN) + 1 + np.arange(alone.sum())
    member = template != UNKNOWN
    counted = member & ~missing
    weight = _scores(benchmark, counted)[member] if detector_score else None
    if norm == QUALITY and quality is not None:
        own = weights(np.where(missing, -np.inf, quality))[member]
        weight = own if weight is None else own * weight
    _, vectors = templates(
        embedding[member], template[member], medium[member], NORMS.get(norm, "unit"), missing[member],
        called=lambda number: ids[number].as_py(), weight=weight,
    )  # fmt: skip
    return Templates(ids, vectors, np.logical_not(vectors.any(axis=1)))


def _scores(benchmark: Benchmark, counted: np.ndarray) -> np.ndarray:
    """(N,): the detector's score of each face."""
    score = benchmark.faces["score"].to_numpy().astype(np.float64)  # NaN where there is none
    lacking = counted & ~(score > 0)
    if lacking.any():
        what = f"{int(lacking.sum())} faces have no detector's score, by which they are to count"
        raise BenchmarkError(what, where="params.yaml: evaluate.detector_score", remedy="set it to false")
    return score


def searches(benchmark: Benchmark, ids: pa.Array) -> dict[str, Search]:
    """The identification searches that the enrolment lists, by gallery (``G1``, ``G2``).

    Raises:
        BenchmarkError: the enrolment names a template without faces, or lists no gallery or no probe.
    """
    enrolment = benchmark.enrolment
    row = places(enrolment["template"], ids)
    if (row == UNKNOWN).any():
        strange = enrolment["template"][int(np.argmax(row == UNKNOWN))]
        raise BenchmarkError(f"the template '{strange}' is enrolled and has no faces", remedy="lrfr import-testset")
    people = names(enrolment["identity"])
    identity = places(enrolment["identity"], people)
    role = np.array(enrolment["role"].to_pylist())
    probe, galleries = role == "probe", sorted(set(role.tolist()) - {"probe"})
    if not galleries or not probe.any():
        raise BenchmarkError("the test set enrols no gallery or no probe", remedy="lrfr import-testset")
    return {
        name: Search(
            row[role == name], identity[role == name], row[probe], identity[probe], lambda who: people[who].as_py()
        )
        for name in galleries
    }


def template_identity(benchmark: Benchmark, ids: pa.Array) -> np.ndarray:
    """(T,) int64: the identity that the enrolment gives each template, ``UNKNOWN`` where it gives none."""
    row = places(benchmark.enrolment["template"], ids)
    people = places(benchmark.enrolment["identity"], names(benchmark.enrolment["identity"]))
    identity = np.full(len(ids), UNKNOWN)
    identity[row[row != UNKNOWN]] = people[row != UNKNOWN]
    return identity
