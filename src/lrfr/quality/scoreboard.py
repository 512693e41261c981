"""The scoreboard of the synthesisers: which one's faces lie closest to native ones, by what, and whether near enough.

They are ranked by the kernel's mean discrepancy of embeddings (MMD), which has no bias whatever the number of faces and
goes on growing where the classifier's area under the curve is 1 already. The others say whether they agree.
"""

from typing import Any

RANKED_BY = "mmd"
MEASURES = ("mmd", "frechet", "auc")  # the smaller, the closer


def scoreboard(embeddings: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The ranking.

    Args:
        embeddings: by synthesiser, the figures of :func:`lrfr.quality.gap.compare_embeddings`; one at least.

    Returns:
        ``ranking``, the closest first; ``by``; ``closest``; ``first_by``: the closest by each measure; ``tied``: those
        whose interval of the ranking's measure meets the closest's.
    """
    first_by = {measure: _order(embeddings, measure)[0] for measure in MEASURES}
    ranking = _order(embeddings, RANKED_BY)
    high = embeddings[ranking[0]][f"{RANKED_BY}_interval"][1]
    tied = [name for name in ranking[1:] if embeddings[name][f"{RANKED_BY}_interval"][0] <= high]
    return {"closest": ranking[0], "by": RANKED_BY, "ranking": ranking, "first_by": first_by, "tied": tied}


def verdict(auc: float, warn: float | None, stop: float | None) -> str:
    """``pass``, ``warn`` or ``stop``: whether the closest synthesiser's area under the curve of the classifier on
    embeddings, 0.5..1, lies above a threshold; None is never passed."""
    if stop is not None and auc > stop:
        return "stop"
    return "warn" if warn is not None and auc > warn else "pass"


def _order(embeddings: dict[str, dict[str, Any]], measure: str) -> list[str]:
    return sorted(embeddings, key=lambda name: (embeddings[name][measure], name))
