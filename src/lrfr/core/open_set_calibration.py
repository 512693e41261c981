"""The threshold at which strangers are taken for somebody as rarely as was asked for, in a gallery of any size.

A false positive of a search is a stranger whose best score is at or above the threshold; the false positive
identification rate (FPIR, ISO/IEC 19795-1:2021) is their share, and grows with the number N of people who are enrolled.

- Of N people among the G who were measured, the FPIR is its expectation over every gallery of N of them, which is
  exact: a stranger whom k of the G resemble is mistaken with the chance 1 - C(G - k, N) / C(G, N).
- Of more people, FPIR(N) = 1 - (1 - FPIR(G))^(N / G): the rule 1 - (1 - FMR)^N by which identification is predicted
  from comparisons (P. Grother and P. J. Phillips, "Models of Large Population Recognition Performance", CVPR 2004),
  with galleries of G in the place of single comparisons. It takes strangers to be alike. They are not, and where some
  are mistaken more often than others the rule gives too much: for m = N / G >= 1, 1 - (1 - p)^m is concave in p, so the
  mean over strangers lies below the value at their mean (Jensen). The threshold errs to the side of "don't know".
"""

import numpy as np

from lrfr.core.inputs import UNKNOWN
from lrfr.errors import EmbeddingError

CANDIDATES = 4096  # thresholds among which is chosen: each of the highest scores, then ever fewer
ROWS = 256  # strangers that are looked at at once


def sizes(people: int) -> list[int]:
    """The galleries that are looked at, 1 to ``people``: 1, 2, 3, 5, 7, 10, 15, 20, 30 and so on."""
    steps = [1, 1.5, 2, 3, 5, 7]
    series = {int(step * 10**power) for power in range(9) for step in steps if step * 10**power % 1 == 0}
    return sorted({size for size in series if size < people} | {people})


def rates(strangers: int) -> list[float]:
    """The FPIRs that so many strangers resolve: 0.5, 0.3, 0.2, 0.1 and so on, and last one among all of them."""
    series = {float(f"{step}e-{power}") for power in range(1, 10) for step in (1, 2, 3, 5, 7)}
    return sorted({rate for rate in series if 1 / strangers < rate <= 0.5} | {1 / strangers})


def mistaken(size: int, people: int) -> np.ndarray:
    """The chance (people + 1,) that at least one of the k people whom a stranger resembles is in a gallery of ``size``
    of them, for k from 0."""
    log = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, people + 1)))])  # of the factorials
    others = people - np.arange(people + 1)
    possible = others >= size
    none = np.zeros(people + 1)
    left = others[possible]
    none[possible] = np.exp(log[left] - log[left - size] - log[people] + log[people - size])
    return 1 - none


def alike(scores: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """How many people each stranger resembles at each threshold: (U, T) int64.

    Args:
        scores: (U, G), each row ascending.
        thresholds: (T,); a score at one counts, as in every protocol here.
    """
    return scores.shape[1] - np.array([np.searchsorted(row, thresholds, side="left") for row in scores])


def thresholds(scores: np.ndarray, gallery_sizes: list[int], wanted: list[float]) -> np.ndarray:
    """The lowest thresholds (S, R) whose FPIR is at most each of ``wanted`` (R), for each size (S).

    Args:
        scores: (U, G) of U strangers with G people.
        gallery_sizes: how many of the people are enrolled, 1 to G.
        wanted: FPIRs, 0..1.

    Raises:
        EmbeddingError: no strangers, or a score that is not finite.
    """
    if not scores.size or not np.isfinite(scores).all():
        raise EmbeddingError(f"{scores.shape[0]} strangers and {scores.shape[1]} people: no finite score of each pair")
    scores = np.sort(scores, axis=1)
    descending = np.sort(scores, axis=None)[::-1]
    ranks = np.unique(np.geomspace(1, len(descending), CANDIDATES).astype(np.int64)) - 1
    candidates = np.concatenate([[np.nextafter(descending[0], np.inf)], descending[ranks]])
    fpir = np.zeros((len(gallery_sizes), len(candidates)))
    chances = [mistaken(size, scores.shape[1]) for size in gallery_sizes]
    for start in range(0, len(scores), ROWS):
        count = alike(scores[start : start + ROWS], candidates)
        fpir += [chance[count].sum(axis=0) for chance in chances]
    fpir /= len(scores)
    within = [[np.flatnonzero(row <= rate * (1 + 1e-12))[-1] for rate in wanted] for row in fpir]
    return candidates[np.array(within)]


def extended(rate: float, people: int, size: int) -> float:
    """The FPIR in a gallery of ``size``, from that in one of ``people``, which is not larger."""
    return float(-np.expm1(size / people * np.log1p(-rate))) if rate < 1 else 1.0


def reduced(rate: float, people: int, size: int) -> float:
    """The FPIR in a gallery of ``people`` that becomes ``rate`` in one of ``size``."""
    return extended(rate, size, people)


def non_mated(scores: np.ndarray, probe: np.ndarray, enrolled: np.ndarray) -> np.ndarray:
    """The scores (P, G - 1) of each probe with everybody but its own person: each probe as a stranger.

    Args:
        scores: (P, G).
        probe: (P,) int64, whom each probe shows; all are enrolled.
        enrolled: (G,) int64, each person once.

    Raises:
        EmbeddingError: a probe's person is not enrolled exactly once.
    """
    own = probe[:, None] == enrolled
    if not (own.sum(axis=1) == 1).all() or (enrolled == UNKNOWN).any():
        raise EmbeddingError("a probe's person is not enrolled exactly once")
    return scores[~own].reshape(len(probe), len(enrolled) - 1)
