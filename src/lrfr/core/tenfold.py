"""Ten-fold verification (LFW, CALFW, CPLFW, AgeDB-30, CFP-FP): the threshold of nine folds judges the tenth."""

from dataclasses import dataclass

import numpy as np

from lrfr.core.bootstrap import intervals, rounded
from lrfr.core.even_parts import part_of_each
from lrfr.core.inputs import embeddings, present, same_width
from lrfr.core.scored_pairs import checked_pairs
from lrfr.core.scoring import check_metric, comparable, score_pairs
from lrfr.errors import EmbeddingError, unknown_name

THRESHOLDS = ("exact", "grid")
"""Where thresholds are looked for: between all scores, or on insightface's grid of squared distances."""


@dataclass(frozen=True)
class Folds:
    """The outcome of a k-fold verification.

    Attributes:
        accuracy: (K,) float64, 0..1: of each fold, in ascending order of the folds.
        threshold: (K,) float64, in units of the score: the best on the other folds. Pairs at or above it are the same.
        right: (N,) bool, whether each pair was answered rightly.
        fold: (N,) int64, the pairs' folds, from 0.
        thresholds: ``exact`` or ``grid``.
    """

    accuracy: np.ndarray
    threshold: np.ndarray
    right: np.ndarray
    fold: np.ndarray
    thresholds: str

    def figures(self, identity: np.ndarray | None = None, draws: int = 1000, seed: int = 0) -> dict[str, object]:
        """Mean accuracy over folds and its population standard deviation, as insightface reports them.

        A fold's threshold is null where the best is to accept everything, or nothing.

        Args:
            identity: (N,) the identities of the pairs' left side, for an interval over identities instead of pairs.
            draws: bootstrap samples; 0 leaves the interval out. Thresholds stay what they are in every draw.
            seed: of the draws.
        """
        figures: dict[str, object] = {
            "accuracy": round(float(self.accuracy.mean()), 6),
            "accuracy_std": round(float(self.accuracy.std()), 6),
            "per_fold": [round(float(value), 6) for value in self.accuracy],
            "threshold_per_fold": [value if np.isfinite(value) else None for value in self.threshold.tolist()],
            "thresholds": self.thresholds,
            "n_pairs": len(self.right),
        }
        if draws:
            # a pair weighs by its fold's size, so that the mean over pairs is the mean over folds
            weight = len(self.right) / len(self.accuracy) / np.bincount(self.fold)
            over = np.arange(len(self.right)) if identity is None else identity
            weighted = (self.right * weight[self.fold])[:, None]
            figures["accuracy_interval"] = rounded(intervals(weighted, over, draws, seed)[:, 0])
            figures["interval_over"] = "pairs" if identity is None else "identities"
        return figures


def folds(
    left: np.ndarray,
    right: np.ndarray,
    same: np.ndarray,
    fold: np.ndarray | None = None,
    n_folds: int = 10,
    metric: str = "cosine",
    thresholds: str = "exact",
    left_missing: np.ndarray | None = None,
    right_missing: np.ndarray | None = None,
) -> Folds:
    """Verifies pairs by k-fold cross-validation: each fold is judged at the best threshold of the others.

    Among equally good thresholds the strictest (the highest score) is taken, so no figure depends on the order of rows
    within a fold.

    Args:
        left: (N, D) embeddings.
        right: (N, D) embeddings.
        same: (N,) bool.
        fold: (N,) the pairs' folds; without it, ``n_folds`` runs of consecutive pairs, unshuffled, as even as can be
            (the first ones longer), as in scikit-learn's ``KFold``.
        n_folds: the number of folds; not used where ``fold`` is given.
        metric: ``cosine`` or ``euclidean`` (minus the squared distance of the embeddings as they are).
        thresholds: ``exact``: midway between any two neighbouring scores of the other folds, below all, or above all.
            ``grid``: insightface's: the squared distance of L2-normalised embeddings below 0, 0.01 ... 3.99, the
            smallest of the best; with ``cosine`` only.
        left_missing: (N,) bool, rows of which there is no face; such a pair is answered "different".
        right_missing: (N,) bool, likewise.

    Raises:
        EmbeddingError: shapes that differ, values that are not finite, zero vectors under cosine, pairs of one kind
            only, fewer pairs than folds, or fewer than two folds.
    """
    if thresholds not in THRESHOLDS:
        raise unknown_name("thresholds", thresholds, THRESHOLDS)
    score, same = checked_pairs(_scores(left, right, metric, thresholds, left_missing, right_missing), same)
    number = _fold_numbers(len(same), fold, n_folds)
    decided, accuracy, threshold = np.zeros(len(same), bool), [], []
    for held_out in range(number.max() + 1):
        judged = number == held_out
        threshold.append(_best_threshold(score[~judged], same[~judged], thresholds))
        decided[judged] = (score[judged] >= threshold[-1]) & (score[judged] > -np.inf)
        accuracy.append((decided[judged] == same[judged]).mean())
    return Folds(np.array(accuracy), np.array(threshold), decided == same, number, thresholds)


def _scores(
    left: np.ndarray,
    right: np.ndarray,
    metric: str,
    thresholds: str,
    left_missing: np.ndarray | None,
    right_missing: np.ndarray | None,
) -> np.ndarray:
    """The pairs' scores (N,) float64; under ``grid`` minus the squared distance of the L2-normalised embeddings."""
    check_metric(metric)
    left, right = embeddings(left, "left"), embeddings(right, "right")
    same_width(left=left, right=right)
    if len(left) != len(right):
        raise EmbeddingError(f"{len(left)} left and {len(right)} right embeddings; one of each per pair is needed")
    if thresholds == "grid" and metric != "cosine":
        what = f"the grid is of distances of normalised embeddings, not of metric '{metric}'"
        raise EmbeddingError(what, remedy="take the metric cosine, or thresholds exact")
    rows = np.flatnonzero(present(left_missing, left, "left") & present(right_missing, right, "right"))
    one, other = (comparable(side[rows], metric, name, rows) for side, name in ((left, "left"), (right, "right")))
    scores = np.full(len(left), -np.inf)
    pairs = np.tile(np.arange(len(rows)), (2, 1))
    scores[rows] = score_pairs(one, other, pairs, "euclidean" if thresholds == "grid" else metric)
    return scores


def _fold_numbers(pairs: int, fold: np.ndarray | None, n_folds: int) -> np.ndarray:
    """The fold (N,) of each pair, numbered from 0."""
    if fold is None:
        if not 2 <= n_folds <= pairs:
            raise EmbeddingError(f"{pairs} pairs do not make {n_folds} folds", remedy="give every fold a pair or more")
        return part_of_each(pairs, n_folds)
    if np.shape(fold) != (pairs,):
        raise EmbeddingError(f"{np.shape(fold)} folds for {pairs} pairs; one per pair is needed")
    number = np.unique(fold, return_inverse=True)[1]
    if not number.any():
        raise EmbeddingError("all pairs are in one fold", remedy="give at least two folds")
    return number


def _best_threshold(score: np.ndarray, same: np.ndarray, thresholds: str) -> float:
    """The threshold of the highest accuracy on these pairs; the highest threshold where several are as good."""
    genuine, impostor = np.sort(score[same]), np.sort(score[~same])
    if thresholds == "grid":
        # insightface accepts distances strictly below the grid's: scores from the next float on
        candidates = np.nextafter(-np.arange(0, 4, 0.01), np.inf)
    else:
        distinct = np.unique(score[score > -np.inf])
        middle = (distinct[1:] + distinct[:-1]) / 2
        middle = np.where(middle > distinct[:-1], middle, distinct[1:])  # neighbouring floats have no middle
        candidates = np.concatenate([[np.inf], middle[::-1], [-np.inf]])
    accepted = len(genuine) - np.searchsorted(genuine, np.maximum(candidates, np.finfo(float).min))
    rejected = np.searchsorted(impostor, np.maximum(candidates, np.finfo(float).min))
    return float(candidates[np.argmax(accepted + rejected)])
