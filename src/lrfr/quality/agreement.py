"""How far labellers agree: raw agreement, Fleiss' and Cohen's kappa, overall and by the faces' height.

The latest verdict of a labeller on a face counts, ``unsure`` as a verdict like the others. Verdicts that were taken
back and adjudications are left out.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from lrfr.core.detection import HEIGHT_BINS
from lrfr.core.verdicts import VERDICTS, WITHDRAWN, Verdict, latest

Opinions = dict[str, str]  # labeller -> verdict, on one face


def agreement(verdicts: Iterable[Verdict], height: Mapping[str, int]) -> dict[str, Any] | None:
    """The agreement of all labellers on the faces that at least two of them judged.

    Args:
        verdicts: the lines of all manifests.
        height: px, by face_id.

    Returns:
        None when no face was judged twice; else, ready for JSON:

        - ``verdicts``: the verdicts in the order of the confusion matrices;
        - ``labellers``: the number of faces that each judged, by name;
        - ``overall``: see :func:`figures`;
        - ``by_height``: the same for each of the detection metrics' bins of height, with ``from`` and ``to`` (px);
        - ``pairs``: for every two labellers who judged a face in common, ``labellers``, ``faces``, ``raw``,
          ``cohens_kappa`` (None where it is undefined), ``confusion`` (4, 4), whose rows are the first one's verdicts,
          and ``by_height``, rows of ``from``, ``to``, ``faces``, ``raw`` and ``cohens_kappa``.
    """
    by_face: dict[str, Opinions] = {}
    for (face_id, labeller), verdict in latest(verdicts).items():
        if verdict.note != WITHDRAWN:
            by_face.setdefault(face_id, {})[labeller] = verdict.verdict
    shared = {face_id: opinions for face_id, opinions in by_face.items() if len(opinions) > 1}
    if not shared:
        return None
    binned = {ends: _within(shared, height, *ends) for ends in pairwise(HEIGHT_BINS)}  # pyrefly: ignore
    judged = Counter(labeller for opinions in by_face.values() for labeller in opinions)
    return {
        "verdicts": list(VERDICTS),
        "labellers": dict(sorted(judged.items())),
        "overall": figures(list(shared.values())),
        "by_height": [{"from": low, "to": high} | figures(faces) for (low, high), faces in binned.items()],
        "pairs": [
            _pair(first, second, list(shared.values()), binned) for first, second in combinations(sorted(judged), 2)
            if any(first in opinions and second in opinions for opinions in shared.values())
        ],
    }  # fmt: skip


def figures(faces: Sequence[Opinions]) -> dict[str, float | int | None]:
    """Agreement on faces that at least two labellers judged each.

    Fleiss' kappa (J. L. Fleiss, Psychological Bulletin 76, 1971) wants the same number of verdicts on every face, not
    the same labellers. So it is taken over the faces with the commonest number of verdicts, the greater of two that are
    equally common: a labeller who has only begun changes nothing, where faces that all have judged would be few.

    Returns:
        - ``faces``; ``raw``: the share of pairs of verdicts on the same face that are equal, averaged over faces;
        - ``fleiss_kappa`` over ``fleiss_faces`` of them with ``fleiss_verdicts`` verdicts each. Kappa is None where
          all verdicts are the same: nothing is left that chance could not have done.
    """
    if not faces:
        return {"faces": 0, "raw": None, "fleiss_kappa": None, "fleiss_faces": 0, "fleiss_verdicts": None}
    counts = np.array([[list(opinions.values()).count(verdict) for verdict in VERDICTS] for opinions in faces])
    given = counts.sum(axis=1)
    raw = np.mean((counts * (counts - 1)).sum(axis=1) / (given * (given - 1)))
    commonest = max(np.unique(given), key=lambda number: (np.sum(given == number), number))
    table = counts[given == commonest]
    return {
        "faces": len(faces),
        "raw": round(float(raw), 6),
        "fleiss_kappa": _fleiss_kappa(table),
        "fleiss_faces": len(table),
        "fleiss_verdicts": int(commonest),
    }


def _fleiss_kappa(table: np.ndarray) -> float | None:
    from statsmodels.stats.inter_rater import fleiss_kappa

    return round(float(fleiss_kappa(table)), 6) if np.count_nonzero(table.sum(axis=0)) > 1 else None


def _pair(first: str, second: str, shared: Sequence[Opinions], binned: Mapping[tuple, Sequence[Opinions]]) -> dict:
    """Who of two labellers says what where the other says what."""
    from sklearn.metrics import confusion_matrix

    said = _said(first, second, shared)
    by_height = [
        {"from": low, "to": high} | _cohen(*_said(first, second, faces)) for (low, high), faces in binned.items()
    ]
    return {
        "labellers": [first, second],
        **_cohen(*said),
        "confusion": confusion_matrix(*said, labels=VERDICTS).tolist(),
        "by_height": by_height,
    }


def _said(first: str, second: str, faces: Iterable[Opinions]) -> tuple[list[str], list[str]]:
    """The verdicts of two labellers on the faces that both judged."""
    both = [opinions for opinions in faces if first in opinions and second in opinions]
    return [opinions[first] for opinions in both], [opinions[second] for opinions in both]


def _cohen(first: list[str], second: list[str]) -> dict[str, float | int | None]:
    """Raw agreement and Cohen's kappa of two labellers' verdicts on the same faces."""
    from sklearn.metrics import cohen_kappa_score

    if not first:
        return {"faces": 0, "raw": None, "cohens_kappa": None}
    raw = float(np.mean([a == b for a, b in zip(first, second, strict=True)]))
    # Without any variety there is no agreement by chance to correct for, and kappa is undefined.
    kappa = round(float(cohen_kappa_score(first, second, labels=VERDICTS)), 6) if len({*first, *second}) > 1 else None
    return {"faces": len(first), "raw": round(raw, 6), "cohens_kappa": kappa}


def _within(shared: Mapping[str, Opinions], height: Mapping[str, int], low: int, high: int | None) -> list[Opinions]:
    """What was said of the faces of a bin of height, px."""
    return [opinions for face_id, opinions in shared.items() if low <= height[face_id] < (high or np.inf)]
