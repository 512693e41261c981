"""Whether faces that arrive are like those that a model was made for: any two face tables, or a release's reference.

The monitor calls :func:`compare_faces`; ``lrfr drift --reference A --current B`` is the same on the command line.
"""

from pathlib import Path
from typing import Any

import numpy as np

from lrfr.core.two_samples import fisher_exact
from lrfr.quality.compared_faces import read_compared
from lrfr.quality.gap import LEVEL, compare_columns, compare_embeddings, compared

BELOW = 0.05  # of the reference's faces lie below the quality threshold


def compare_faces(
    reference: Path, current: Path, *, model: Path | None = None, sample: int, seed: int
) -> dict[str, Any]:
    """Whether the faces of ``current`` are unlike those of ``reference``.

    Where nothing differs, 5 of 100 comparisons say that something does, all parts together (:mod:`lrfr.quality.gap`).
    Equal tables give equal results, whatever the order of their rows.

    Args:
        reference: a face table, or a release's ``reference.parquet``.
        current: a face table.
        model: the folder of a model, of a run or a release; without it pictures alone are compared.
        sample: faces of each table at most; of them 1,000 are embedded at most.
        seed: of the draws.

    Returns:
        - ``drifted``: whether any part below has.
        - ``faces``: how many of ``reference`` and of ``current`` were looked at; ``level`` and ``tests``: 0.05, and
          among how many parts it is shared out.
        - ``columns``: by statistic, ``distance``, ``p_value``, ``drifted``, ``reference_mean`` and ``current_mean``;
          ``score``, the detector's, is there where both tables have it.
        - ``embeddings``: ``frechet``, ``mmd`` and ``auc``, each with ``_interval``; ``p_value``, ``drifted`` and
          ``faces``. None without a model.
        - ``below_quality``: ``threshold``, below which a twentieth of the reference lies; the shares of ``reference``
          and ``current`` below it, ``p_value`` and ``drifted``. None without a model, or where it predicts no quality.

    Raises:
        FaceTableError: a table is missing, or has other columns.
        BenchmarkError: a table has fewer than 20 faces.
        ImageError: a picture cannot be decoded.
        TrainingError: there is no such model.
        EmbeddingError: the reference has embeddings of another model, or an embedding is not finite.
    """
    read = None
    if model is not None:
        from lrfr.quality.embedded import read_for_comparison

        read = read_for_comparison(model)
    left, right = (read_compared(path, sample, seed, read) for path in (reference, current))
    tests = len(compared(left.columns, right.columns)) + sum(of is not None for of in (left.embedding, left.quality))
    columns = compare_columns(left.columns, right.columns, tests)
    embeddings = below = None
    if left.embedding is not None and right.embedding is not None:
        embeddings = compare_embeddings(left.embedding, right.embedding, seed).figures
        embeddings |= {"drifted": embeddings["p_value"] <= LEVEL / tests}
    if left.quality is not None and right.quality is not None:
        below = _below_quality(left.quality, right.quality, tests)
    parts = [*columns.values(), *(part for part in (embeddings, below) if part)]
    return {
        "drifted": any(part["drifted"] for part in parts),
        "faces": {"reference": len(left), "current": len(right)},
        "level": LEVEL,
        "tests": tests,
        "columns": columns,
        "embeddings": embeddings,
        "below_quality": below,
    }


def _below_quality(left: np.ndarray, right: np.ndarray, tests: int) -> dict[str, Any]:
    """The shares of faces below the reference's threshold, from their qualities (N,) and (M,)."""
    threshold = float(np.quantile(left, BELOW))
    counts = [(int((of < threshold).sum()), len(of)) for of in (left, right)]
    p_value = fisher_exact(*counts)
    shares = {name: below / size for name, (below, size) in zip(("reference", "current"), counts, strict=True)}
    return {"threshold": threshold, **shares, "p_value": p_value, "drifted": p_value <= LEVEL / tests}
