"""The gap between two samples of faces as numbers: by the statistics of their pictures and by their embeddings.

A test is right in 95 of 100 cases where nothing differs, all its parts together: each part's p-value is compared with
the level over the number of parts (C. Bonferroni; O. Dunn, J. American Statistical Association 56, 1961).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lrfr.core.embedding_gap import (
    area_interval,
    area_under_curve,
    discrepancy_interval,
    frechet_distance,
    frechet_interval,
    gaussian_kernel,
    kernel_discrepancy,
    kernel_p_value,
    principal_axes,
)
from lrfr.core.two_samples import kolmogorov_smirnov, standard_distance
from lrfr.quality.classifier import belonging, forest, linear
from lrfr.quality.face_sample import LEAST, Columns

LEVEL = 0.05
# A p-value calls any difference drift once the samples are large. From a tenth of a standard deviation on a column's
# difference matters (Evidently's threshold).
LEAST_DISTANCE = 0.1
DRAWS = 500  # of the bootstrap
DIGITS = 6


@dataclass(frozen=True)
class EmbeddingGap:
    """How far apart embeddings are.

    Attributes:
        figures: ``frechet``, ``mmd`` and ``auc``, each with its ``_interval``, the ``p_value`` of ``mmd``, and how many
            ``faces``.
        belonging: (N + M,) how sure the classifier is that each face is of the current sample, the reference's first.
    """

    figures: dict[str, Any]
    belonging: np.ndarray


def compared(reference: Columns, current: Columns) -> list[str]:
    """The columns that both samples have values of."""
    return [name for name in reference if min(len(_known(of[name])) for of in (reference, current)) >= LEAST]


def compare_columns(reference: Columns, current: Columns, tests: int) -> dict[str, dict[str, Any]]:
    """Each statistic: its ``distance`` (Wasserstein's, in standard deviations of the reference), ``p_value``
    (Kolmogorov and Smirnov's), both means, and whether it ``drifted``.

    Args:
        reference: the statistics of N faces.
        current: the same statistics of M faces.
        tests: how many parts the whole test has; see above.
    """
    figures = {}
    for name in compared(reference, current):
        left, right = _known(reference[name]), _known(current[name])
        distance, p_value = standard_distance(left, right), kolmogorov_smirnov(left, right)
        figures[name] = {
            "distance": round(distance, DIGITS),
            "p_value": p_value,
            "drifted": bool(p_value <= LEVEL / tests and distance >= LEAST_DISTANCE),
            "reference_mean": round(float(np.sort(left).mean()), DIGITS),
            "current_mean": round(float(np.sort(right).mean()), DIGITS),
        }
    return figures


def compare_embeddings(reference: np.ndarray, current: np.ndarray, seed: int) -> EmbeddingGap:
    """Embeddings (N, D) and (M, D), as their metric compares them, rows in an order of their own.

    The Fréchet distance is of the first principal axes of both; see :data:`lrfr.core.embedding_gap.AXES`.
    """
    axes = principal_axes(reference, current)
    kernel, count = gaussian_kernel(reference, current), len(reference)
    likely = belonging(linear(), reference, current, seed)
    scores = likely[:count], likely[count:]
    figures = {
        "frechet": frechet_distance(*axes),
        "frechet_interval": frechet_interval(*axes, DRAWS, seed),
        "mmd": kernel_discrepancy(kernel, count),
        "mmd_interval": discrepancy_interval(kernel, count, DRAWS, seed),
        "auc": area_under_curve(*scores),
        "auc_interval": area_interval(*scores, DRAWS, seed),
        "p_value": kernel_p_value(kernel, count, seed),
    }
    faces = {"reference": count, "current": len(current)}
    return EmbeddingGap({name: _rounded(value) for name, value in figures.items()} | {"faces": faces}, likely)


def statistics_auc(reference: Columns, current: Columns, seed: int) -> dict[str, Any]:
    """``auc`` and ``auc_interval`` of a random forest that is to tell the faces apart by all their statistics."""
    names = compared(reference, current)
    left, right = (
        np.nan_to_num(np.column_stack([columns[name] for name in names]), nan=-1.0) for columns in (reference, current)
    )
    likely = belonging(forest(seed), left, right, seed)
    scores = likely[: len(left)], likely[len(left) :]
    figures = {"auc": area_under_curve(*scores), "auc_interval": area_interval(*scores, DRAWS, seed)}
    return {name: _rounded(value) for name, value in figures.items()}


def _known(values: np.ndarray) -> np.ndarray:
    return values[~np.isnan(values)]


def _rounded(value: Any) -> Any:
    return [round(end, DIGITS) for end in value] if isinstance(value, tuple) else round(value, DIGITS)
