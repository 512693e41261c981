"""IJB's 1:1: the published pairs of templates."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from lrfr.core.gallery_search import Templates
from lrfr.core.inputs import UNKNOWN
from lrfr.core.pair_verification import Verification, verification
from lrfr.core.template_pooling import pair_scores
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.templates import template_identity


@dataclass(frozen=True)
class TemplatePairs:
    """Pairs as rows of the templates: (M,) each; ``identity`` is the left side's, None where one is not known."""

    left: np.ndarray
    right: np.ndarray
    same: np.ndarray
    identity: np.ndarray | None


def template_pairs(benchmark: Benchmark, ids: pa.Array) -> TemplatePairs:
    """The published pairs among the templates ``ids``.

    Raises:
        BenchmarkError: there are no pairs, or one names a template without faces.
    """
    left, right, same = benchmark.pair_rows(ids)
    identity = template_identity(benchmark, ids)[left]
    return TemplatePairs(left, right, same, None if (identity == UNKNOWN).any() else identity)


def verify(pairs: TemplatePairs, left: Templates, right: Templates) -> Verification:
    """Verifies the pairs, their left side out of ``left``, their right side out of ``right``."""
    vectors, missing = np.concatenate([left.vectors, right.vectors]), np.concatenate([left.missing, right.missing])
    score = pair_scores(vectors, pairs.left, pairs.right + len(left.vectors), missing=missing)
    return verification(score, pairs.same, pairs.identity)
