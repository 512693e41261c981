"""Verification (1:1): TAR at a FAR, ROC, AUC, EER and the best accuracy, from nothing but the scores of pairs.

A pair is accepted when its score is at or above the threshold, so an impostor at the threshold is accepted. A score of
minus infinity marks a pair of which a face is missing: no threshold accepts it, and it is counted.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lrfr.core.roc_intervals import intervals
from lrfr.core.scored_pairs import accepted, checked_pairs, count_within, threshold_at
from lrfr.errors import EmbeddingError, unknown_name

FARS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
"""IJB-B's and IJB-C's operating points."""

METHODS = ("exact", "nearest")
"""How TAR at a FAR is read: the largest TAR whose FAR is at most that, or insightface's nearest FAR."""


@dataclass(frozen=True)
class Verification:
    """The scores of genuine and impostor pairs, ready to be asked for any figure.

    Attributes:
        genuine: (G,) float, the genuine pairs' scores, ascending; minus infinity: a face is missing.
        impostor: (I,) float, the impostor pairs' scores, likewise.
        score: (N,) float, all scores as given.
        same: (N,) bool, as given.
        identity: (N,) the identities of the pairs' left (probe) side, or None: what the bootstrap draws.
    """

    genuine: np.ndarray
    impostor: np.ndarray
    score: np.ndarray
    same: np.ndarray
    identity: np.ndarray | None = None

    def operating_point(self, far: float, method: str = "exact") -> tuple[float, float]:
        """The threshold and the TAR (0..1) at a FAR.

        ``exact``: the lowest score whose FAR is at most ``far``, hence the largest TAR that such a FAR allows.
        ``nearest``: the point of the ROC whose FAR is nearest to ``far``, the one of larger TAR where two are, as
        insightface's IJB evaluation reads it from scikit-learn's ``roc_curve``; its FAR may exceed ``far``.
        The threshold is infinite, and the TAR 0, where even the highest score's FAR is above ``far``.
        """
        if method == "exact":
            threshold = threshold_at(self.genuine, self.impostor, far)
            return threshold, accepted(self.genuine, threshold) / len(self.genuine)
        if method != "nearest":
            raise unknown_name("method", method, METHODS)
        thresholds, impostors, genuine = self._bends
        distance = np.abs(impostors / len(self.impostor) - far)[::-1]
        row = len(distance) - 1 - int(np.argmin(distance))
        return float(thresholds[row]), float(genuine[row] / len(self.genuine))

    def roc(self) -> tuple[np.ndarray, np.ndarray]:
        """The ROC's points (far, tar), each (K,) ascending from (0, 0), without those inside a straight run.

        It ends where every pair that has a score is accepted, below (1, 1) if faces are missing.
        """
        _, impostors, genuine = self._bends
        return impostors / len(self.impostor), genuine / len(self.genuine)

    @property
    def auc(self) -> float:
        """The area under the ROC (0..1): the chance that a genuine score beats an impostor's, a tie counting half."""
        wins = np.searchsorted(self.impostor, self.genuine, "left") + np.searchsorted(
            self.impostor, self.genuine, "right"
        )
        return int(wins.sum()) / (2 * len(self.genuine) * len(self.impostor))

    @property
    def eer(self) -> float:
        """The equal error rate (0..1): the mean of FAR and FNMR at the threshold where they differ least.

        Nothing is interpolated; where two thresholds are equally near, the larger mean counts.
        """
        return self._equal_errors[0]

    @property
    def accuracy(self) -> float:
        """The best accuracy (0..1) over all thresholds, that which accepts nothing among them."""
        return int(self.right.sum()) / len(self.score)

    @property
    def right(self) -> np.ndarray:
        """(N,) bool: whether each pair is told rightly at the threshold of the best accuracy, the highest such one."""
        return (self.score >= self._most_accurate) == self.same

    def figures(
        self, far: Iterable[float] = FARS, method: str = "exact", draws: int = 1000, seed: int = 0
    ) -> dict[str, object]:
        """Every figure, ready for JSON, with 95 % bootstrap intervals.

        Args:
            far: the FARs (0..1) to read TAR at; one below 1/I gives null: it is not resolvable with I impostors.
            method: ``exact`` or ``nearest``; see ``operating_point``.
            draws: bootstrap samples (see ``roc_intervals``); 0 leaves the intervals out.
            seed: of the draws.

        Raises:
            EmbeddingError: a FAR outside of 0..1.
        """
        rates = sorted(set(far))
        resolvable = [rate for rate in rates if count_within(rate, len(self.impostor))]
        points = {rate: self.operating_point(rate, method) for rate in resolvable}
        thresholds = {rate: points[rate][0] for rate in resolvable}
        finite = {rate: threshold for rate, threshold in thresholds.items() if np.isfinite(threshold)}
        outcome: dict[str, object] = {
            "tar": {f"{rate:g}": round(points[rate][1], 6) if rate in points else None for rate in rates},
            "threshold": {f"{rate:g}": finite.get(rate) for rate in rates},
            "eer_threshold": _finite(self._equal_errors[1]),
            "accuracy_threshold": _finite(float(self._most_accurate)),
            "auc": round(self.auc, 6),
            "eer": round(self.eer, 6),
            "accuracy": round(self.accuracy, 6),
            "method": method,
            "n_genuine": len(self.genuine),
            "n_impostor": len(self.impostor),
            "n_missing": int(np.isneginf(self.score).sum()),
            "not_resolvable": [
                f"FAR {rate:g}: not resolvable with {len(self.impostor)} impostors"
                for rate in rates
                if rate not in points
            ],
        }
        if draws:
            known, others = intervals(self.score, self.same, self.identity, thresholds, method, draws, seed)
            outcome |= {"tar_interval": {f"{rate:g}": known.get(rate) for rate in rates}, **others}
        return outcome

    @cached_property
    def _equal_errors(self) -> tuple[float, float]:
        """The equal error rate and its threshold."""
        candidates = [np.inf, *self._crossing(self.genuine), *self._crossing(self.impostor)]
        errors = ((*self._errors(at), at) for at in candidates)
        nearest = min((abs(far - fnmr), -(far + fnmr), at) for far, fnmr, at in errors)
        return -nearest[1] / (2 * len(self.genuine) * len(self.impostor)), float(nearest[2])

    @cached_property
    def _most_accurate(self) -> np.floating:
        """The threshold of the best accuracy, the highest such one."""
        # Between two genuine scores a higher threshold only rejects more impostors: the best one is a genuine score
        at = np.unique(self.genuine)
        at = np.append(at[at > -np.inf], at.dtype.type(np.inf))
        right = np.searchsorted(self.impostor, at) + len(self.genuine) - np.searchsorted(self.genuine, at)
        return at[len(at) - 1 - int(np.argmax(right[::-1]))]

    def _errors(self, threshold: float) -> tuple[int, int]:
        """FAR and FNMR over one denominator, G times I: whole numbers, so that equal rates compare equal."""
        rejected = len(self.genuine) - accepted(self.genuine, threshold)
        return accepted(self.impostor, threshold) * len(self.genuine), rejected * len(self.impostor)

    def _crossing(self, scores: np.ndarray) -> list[float]:
        """The last of the ascending ``scores`` whose FAR is at least its FNMR, and the next one, where they exist."""
        finite = scores[np.searchsorted(scores, -np.inf, "right") :]
        # FAR falls and FNMR rises with the threshold
        row = bisect_left(finite, True, key=lambda score: int.__lt__(*self._errors(score)))
        return finite[max(row - 1, 0) : row + 1].tolist()

    @cached_property
    def _bends(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Thresholds, highest first, and the impostor and genuine pairs that each accepts, where the ROC bends.

        The points that scikit-learn's ``roc_curve`` keeps: those inside a run of equal steps are left out.
        """
        distinct = np.unique(np.concatenate([self.genuine, self.impostor]))[::-1]
        at = distinct[distinct > -np.inf]
        impostors = len(self.impostor) - np.searchsorted(self.impostor, at)
        genuine = len(self.genuine) - np.searchsorted(self.genuine, at)
        bend = np.ones(len(at), bool)
        bend[1:-1] = (np.diff(impostors, 2) != 0) | (np.diff(genuine, 2) != 0)
        return np.r_[np.inf, at[bend]], np.r_[0, impostors[bend]], np.r_[0, genuine[bend]]


def _finite(threshold: float) -> float | None:
    return threshold if np.isfinite(threshold) else None


def verification(score: np.ndarray, same: np.ndarray, identity: np.ndarray | None = None) -> Verification:
    """Verifies pairs by their scores (LFW, SurvFace, IJB-B and IJB-C 1:1).

    Args:
        score: (N,) float, the higher the more alike; minus infinity where a face is missing.
        same: (N,) bool, whether the pair is genuine.
        identity: (N,) the identities of the pairs' left (probe) side, for intervals over identities.

    Raises:
        EmbeddingError: lengths that differ, ``same`` not bool, a score that is NaN or plus infinity, or no genuine or
            no impostor pair.
    """
    score, same = checked_pairs(score, same)
    if identity is not None and np.shape(identity) != score.shape:
        raise EmbeddingError(f"{np.shape(identity)} identities for {score.shape} scores; one per pair is needed")
    return Verification(
        np.sort(score[same]), np.sort(score[~same]), score, same, None if identity is None else np.asarray(identity)
    )
