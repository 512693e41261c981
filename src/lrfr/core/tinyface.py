"""TinyFace's protocol: closed-set identification, with and without the distractors."""

import numpy as np

from lrfr.core.bootstrap import interval
from lrfr.core.identification import UNKNOWN, ClosedSet, closed_set

RANKS = (1, 5, 10, 20, 50)


def identify(
    probe: np.ndarray,
    probe_identity: np.ndarray,
    gallery: np.ndarray,
    gallery_identity: np.ndarray,
    metric: str,
) -> dict[str, ClosedSet]:
    """Runs the closed set twice: against the whole gallery, and against its named part alone.

    Args:
        probe: (P, D) embeddings.
        probe_identity: (P,) int64.
        gallery: (G, D) embeddings.
        gallery_identity: (G,) int64, ``UNKNOWN`` for distractors.
        metric: ``cosine`` or ``euclidean``.

    Returns:
        The outcomes under ``distractors`` and ``no_distractors``.
    """
    named = gallery_identity != UNKNOWN
    return {
        "distractors": closed_set(probe, probe_identity, gallery, gallery_identity, metric),
        "no_distractors": closed_set(probe, probe_identity, gallery[named], gallery_identity[named], metric),
    }


def summary(outcome: ClosedSet, probe_identity: np.ndarray, draws: int, seed: int) -> dict[str, object]:
    """Rank-k, ``map`` and ``map_official`` (fractions), each with its 95 % bootstrap interval over identities."""
    per_probe = {f"rank{k}": (outcome.rank <= k).astype(float) for k in RANKS}
    per_probe |= {"map": outcome.average_precision, "map_official": outcome.average_precision_official}
    figures: dict[str, object] = {"n_probe": len(outcome.rank), "n_gallery": outcome.gallery_size}
    for name, values in per_probe.items():
        figures[name] = round(float(values.mean()), 6)
        figures[f"{name}_interval"] = [round(end, 6) for end in interval(values, probe_identity, draws, seed)]
    return figures
