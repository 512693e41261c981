"""How often each labeller is right on gold faces, over time, and who drifts."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from lrfr.core.gold import Gold
from lrfr.core.verdicts import WITHDRAWN, Verdict, latest

WINDOW = 50  # gold faces; with fewer the interval is too wide to tell 0.95 from 0.8


def accuracy_on_gold(verdicts: Iterable[Verdict], gold: Mapping[str, Gold]) -> dict[str, dict[str, Any]]:
    """Each labeller's accuracy: the share of gold faces whose known verdict they gave; ``unsure`` is not right.

    Intervals are Wilson's at 95 % (E. B. Wilson, JASA 22, 1927). A labeller drifts when the interval of the last
    ``WINDOW`` gold faces lies wholly below that of all earlier ones, of which there must be at least as many. Of
    labellers who do not drift that calls fewer than one in 100.

    Args:
        verdicts: the lines of all manifests; the latest verdict of a labeller on a face counts.
        gold: by face_id.

    Returns:
        By labeller, ready for JSON: ``faces``, ``accuracy``, ``interval``; ``windows``, the same for every ``WINDOW``
        gold faces in the order in which they were judged, with ``until``, the time of the last (the first window holds
        the remainder); ``earlier``, the same for all but the last window, or None; and ``drifts``, None where there
        are too few gold faces to tell.
    """
    judged: dict[str, list[Verdict]] = {}
    for (_, labeller), verdict in latest(verdicts).items():
        known = gold.get(verdict.face_id)
        if known and verdict.note != WITHDRAWN and (known.since is None or verdict.at > known.since):
            judged.setdefault(labeller, []).append(verdict)
    return {labeller: _standing(lines, gold) for labeller, lines in sorted(judged.items())}


def _standing(lines: list[Verdict], gold: Mapping[str, Gold]) -> dict[str, Any]:
    """One labeller's accuracy on all their gold faces, and over time."""
    lines = sorted(lines, key=lambda line: (line.at, line.face_id))
    right = np.array([line.verdict == gold[line.face_id].verdict for line in lines])
    starts = [start for start in range(len(lines) % WINDOW, len(lines), WINDOW)]
    parts = np.split(np.arange(len(lines)), starts)
    windows = [_share(right[part]) | {"until": lines[part[-1]].at.isoformat()} for part in parts if len(part)]
    earlier = _share(right[:-WINDOW]) if len(lines) > WINDOW else None
    tells = earlier is not None and earlier["faces"] >= WINDOW
    return _share(right) | {
        "windows": windows,
        "earlier": earlier,
        "drifts": windows[-1]["interval"][1] < earlier["interval"][0] if tells else None,
    }


def _share(right: np.ndarray) -> dict[str, Any]:
    """The share of ``right`` (N,) bool, with its interval."""
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(int(right.sum()), len(right), alpha=0.05, method="wilson")
    interval = [round(float(low), 6), round(float(high), 6)]
    return {"faces": len(right), "accuracy": round(float(right.mean()), 6), "interval": interval}
