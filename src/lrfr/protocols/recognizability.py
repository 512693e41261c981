"""What a model's own quality says of unrecognizable, LR and HR faces, and how far it is their size.

Chai et al., "Recognizability Embedding Enhancement for Very Low-Resolution Face Recognition and Quality Estimation",
CVPR 2023, Figs. 1 and 6. The LR faces are the benchmark's probes and gallery faces; qualities are scaled to 0..1 by the
range of all faces shown, as in Fig. 6.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.embeddings import Embeddings
from lrfr.protocols.outcome import Curve

BINS = 30
SHOWN = 12  # faces of the lowest and of the highest quality


def evaluate(
    benchmark: Benchmark, embeddings: Embeddings, others: Mapping[str, np.ndarray]
) -> tuple[dict[str, Any], Curve]:
    """Figures, and the share of each kind of faces in each of 30 parts of the quality's range.

    Args:
        benchmark: with the sizes of the faces.
        embeddings: theirs, with a quality.
        others: the quality (N,) of other faces by what they are, such as ``unrecognizable``; a kind may have none.

    Returns:
        ``n`` by kind; ``spearman_size``, the rank correlation of quality and shorter side, None where one is constant;
        ``lowest`` and ``highest``, face ids. The curve has ``quality`` (0..1, middles) and a column per kind.
    """
    rows = benchmark.splits("probe", "gallery")
    assert embeddings.quality is not None
    rows = rows[~embeddings.missing[rows]]
    quality = embeddings.quality[rows].astype(float)
    faces = benchmark.faces.select(["face_id", "width", "height"]).take(rows)
    side = np.minimum(faces["width"].to_numpy(), faces["height"].to_numpy())
    kinds = {"lr": quality} | {name: values[np.isfinite(values)].astype(float) for name, values in others.items()}
    kinds = {name: values for name, values in kinds.items() if len(values)}
    everything = np.concatenate(list(kinds.values()))
    low, high = float(everything.min()), float(everything.max())
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    shares = {name: np.histogram(values, edges)[0] / len(values) for name, values in kinds.items()}
    order, ids = np.argsort(quality, kind="stable"), faces["face_id"].to_pylist()
    figures = {
        "kind": embeddings.facts.get("quality"),
        "n": {name: len(values) for name, values in kinds.items()},
        "range": [low, high],
        "spearman_size": _spearman(quality, side),
        "lowest": [ids[row] for row in order[:SHOWN]],
        "highest": [ids[row] for row in order[::-1][:SHOWN]],
    }
    return figures, Curve({"quality": (np.arange(BINS) + 0.5) / BINS, **shares})


def _spearman(one: np.ndarray, other: np.ndarray) -> float | None:
    """Spearman's rank correlation, ties at their mean rank."""
    ranks = [_ranks(values) for values in (one, other)]
    if min(values.std() for values in ranks) == 0:
        return None
    return round(float(np.corrcoef(ranks[0], ranks[1])[0, 1]), 6)


def _ranks(values: np.ndarray) -> np.ndarray:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count - 1) / 2)[place]
