"""The protocols as they are defined, one score at a time: what the fast ones must agree with."""

import numpy as np


def cosine(left, right):
    """(L, R) float64, in a fixed order of summation, so that equal vectors tie exactly."""
    left, right = np.asarray(left, float), np.asarray(right, float)
    lengths = [np.sqrt((side**2).sum(axis=1)) for side in (left, right)]
    return np.round((left[:, None] * right[None]).sum(axis=2) / lengths[0][:, None] / lengths[1], 9)


def euclidean(left, right):
    """(L, R): minus the squared distance."""
    left, right = np.asarray(left, float), np.asarray(right, float)
    return -np.round(((left[:, None] - right[None]) ** 2).sum(axis=2), 9)


def walk_the_list(scores, mates, missing=()):
    """Rank, AP and the official AP, by walking down the ranked list, non-mates first where scores are equal.

    Rows that are missing are not on the list, but they count as mates that could have been found.
    """
    rows = [row for row in range(len(scores)) if row not in missing]
    found, best, average, official = 0, None, 0.0, 0.0
    old_recall, old_precision = 0.0, 1.0
    for place, row in enumerate(sorted(rows, key=lambda row: (-scores[row], mates[row])), start=1):
        if mates[row]:
            found += 1
            best = best or place
            average += found / place / sum(mates)
        recall, precision = found / sum(mates), found / place
        official += (recall - old_recall) * (old_precision + precision) / 2
        old_recall, old_precision = recall, precision
    return best, average, official


def tpir_at(fpir, mate_scores, mate_ranks, unmated_scores, rank):
    """The largest TPIR among all thresholds whose FPIR is at most ``fpir``."""
    thresholds = np.concatenate([mate_scores, unmated_scores, [np.inf]])
    best = 0.0
    for threshold in thresholds[thresholds > -np.inf]:
        if (unmated_scores >= threshold).mean() <= fpir + 1e-12:
            best = max(best, ((mate_ranks <= rank) & (mate_scores >= threshold)).mean())
    return best
