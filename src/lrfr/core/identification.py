"""Closed-set identification (1:N): ranks, CMC, mean average precision and precision-recall.

Ties are pessimistic: a non-mate that scores as high as a mate ranks before it, so no figure depends on row order.
"""

from dataclasses import dataclass

import numpy as np

from lrfr.core import inputs
from lrfr.core.bootstrap import rounded_means
from lrfr.core.inputs import UNKNOWN, Called, on_host
from lrfr.core.ranking import count_ahead
from lrfr.core.scoring import check_metric, comparable, score_pairs

RANKS = (1, 5, 10, 20, 50)
RECALL = np.arange(1, 21) / 20
"""The levels of the precision-recall curve."""

MISSED = np.iinfo(np.int64).max
"""The rank of a probe that is missing, or whose mates all are: a miss at every rank."""


@dataclass(frozen=True)
class ClosedSet:
    """The outcome of a closed-set identification, one entry per probe.

    Attributes:
        rank: (P,) int64, the rank of each probe's best mate among the whole gallery, from 1; or ``MISSED``.
        average_precision: (P,) float64, 0..1: the mean over mates of the precision at the mate's rank.
        average_precision_official: (P,) float64, 0..1: the trapezoidal reading of TinyFace's official script.
        precision: (P, R) float64, 0..1: precision at the rank where each level of ``recall`` is reached.
        recall: (R,) float64, the levels, ascending in (0, 1].
        gallery_size: the number of gallery rows, missing ones included.
        n_missing_probe: probes that could not be scored.
        n_missing_gallery: gallery rows that could not be scored.
        others: whether the gallery shows anybody but one identity; if not, no embeddings could be mistaken.
    """

    rank: np.ndarray
    average_precision: np.ndarray
    average_precision_official: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    gallery_size: int
    n_missing_probe: int = 0
    n_missing_gallery: int = 0
    others: bool = True

    @property
    def headlines(self) -> dict[str, np.ndarray]:
        """What each headline figure is the mean of: ``rank1`` ... ``rank50``, ``map``, ``map_official``, (P,) each."""
        found = {f"rank{k}": self.rank <= k for k in RANKS}
        return found | {"map": self.average_precision, "map_official": self.average_precision_official}

    def cmc(self, ranks: np.ndarray) -> np.ndarray:
        """The share (0..1) of probes whose best mate is within each of ``ranks`` (K,)."""
        return (self.rank[:, None] <= np.asarray(ranks)[None, :]).mean(axis=0)

    def figures(self, probe_identity: np.ndarray, draws: int = 1000, seed: int = 0) -> dict[str, object]:
        """The headline figures with their 95 % bootstrap intervals over identities.

        Args:
            probe_identity: (P,) int64.
            draws: number of bootstrap samples.
            seed: of the draws.

        Returns:
            ``rank1`` ... ``rank50``, ``map`` and ``map_official`` (fractions of 1), each with ``_interval`` [low,
            high], null with a single identity among the probes; ``n_probe``, ``n_gallery``, ``n_missing_probe``,
            ``n_missing_gallery``. A gallery of one identity makes every figure null and says so in ``note``.
        """
        counts = {"n_probe": len(self.rank), "n_gallery": self.gallery_size}
        counts |= {"n_missing_probe": self.n_missing_probe, "n_missing_gallery": self.n_missing_gallery}
        if not self.others:
            nothing = dict.fromkeys(key for name in self.headlines for key in (name, f"{name}_interval"))
            return counts | nothing | {"note": "the gallery holds one identity: nobody could be mistaken"}
        return counts | rounded_means(self.headlines, probe_identity, draws, seed)


def closed_set(
    probe,
    probe_identity,
    gallery,
    gallery_identity,
    metric: str = "cosine",
    *,
    probe_missing=None,
    gallery_missing=None,
    called: Called | None = None,
) -> ClosedSet:
    """Ranks the gallery for every probe (TinyFace's face identification protocol).

    The ranks are those of scores in float64, whatever the order of the rows and the type of the embeddings. Memory
    stays below 1 GB above the inputs; a gallery that is memory-mapped (``numpy.load(..., mmap_mode="r")``) is read
    once, chunk by chunk. With tensors the product and the counting run on the gallery's device.

    Args:
        probe: (P, D) embeddings, array or tensor.
        probe_identity: (P,) int64, each with at least one mate in the gallery.
        gallery: (G, D) embeddings, array or tensor.
        gallery_identity: (G,) int64; ``UNKNOWN`` (-1) marks distractors, which are nobody's mates.
        metric: ``cosine`` or ``euclidean`` (raw features, the official script's choice).
        probe_missing: (P,) bool, unreadable or without a face: their rows are not looked at, they miss at every rank.
        gallery_missing: (G,) bool, likewise: nobody finds them.
        called: what the user calls an identity, by its number, for errors.

    Raises:
        EmbeddingError: a shape, a type, a value that is not finite, a zero vector under cosine, or a probe without a
            mate.
    """
    check_metric(metric)
    probe, gallery = inputs.embeddings(probe, "probe"), inputs.embeddings(gallery, "gallery")
    inputs.same_width(probe=probe, gallery=gallery)
    probe_identity = inputs.identities(probe_identity, probe, "probe")
    gallery_identity = inputs.identities(gallery_identity, gallery, "gallery", unknown=True)
    inputs.check_mates(probe_identity, gallery_identity, called=called)
    shown, enrolled = inputs.present(probe_missing, probe, "probe"), inputs.present(gallery_missing, gallery, "gallery")
    number = np.flatnonzero(shown)
    mates = mated_pairs(np.where(shown, probe_identity, UNKNOWN), np.where(enrolled, gallery_identity, UNKNOWN))
    ahead = np.empty(0, np.int64)
    if mates.shape[1]:
        probe = comparable(on_host(probe[number]), metric, "probe", number)
        mates[0] = np.searchsorted(number, mates[0])
        scores = score_pairs(probe, gallery, mates, metric)
        best_first = np.lexsort((-scores, mates[0]))
        mates, scores = mates[:, best_first], scores[best_first]
        ahead = count_ahead(probe, gallery, enrolled, mates, scores, metric)
        mates[0] = number[mates[0]]
    total = _mates_of(probe_identity, gallery_identity)
    missing = int((~shown).sum()), int((~enrolled).sum())
    others = bool((gallery_identity != gallery_identity[0]).any())
    return ClosedSet(*_read_off(mates[0], ahead, total), RECALL, len(gallery), *missing, others)


def mated_pairs(probe_identity: np.ndarray, gallery_identity: np.ndarray) -> np.ndarray:
    """All pairs of a probe row and a gallery row of one identity, ascending by probe: (2, M) int64.

    Rows of the identity ``UNKNOWN`` have no mates.
    """
    order = np.argsort(gallery_identity, kind="stable")
    first = np.searchsorted(gallery_identity, probe_identity, "left", sorter=order)
    counts = np.searchsorted(gallery_identity, probe_identity, "right", sorter=order) - first
    counts[probe_identity == UNKNOWN] = 0
    probe = np.repeat(np.arange(len(probe_identity)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.stack([probe, order[first[probe] + within]])


def _mates_of(probe_identity: np.ndarray, gallery_identity: np.ndarray) -> np.ndarray:
    """How many mates each probe has in the gallery (P,), missing ones included."""
    people, counts = np.unique(gallery_identity, return_counts=True)
    return counts[np.searchsorted(people, probe_identity)]


def _read_off(
    probe: np.ndarray, ahead: np.ndarray, total: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rank, both average precisions and precision at the recall levels of every probe.

    Args:
        probe: (M,) the probe of each mate that was found, ascending; a probe's mates from the best to the worst.
        ahead: (M,) the non-mates before each.
        total: (P,) how many mates a probe has; those that are missing add nothing.
    """
    found = np.bincount(probe, minlength=len(total))
    first = np.cumsum(found) - found
    place = np.arange(len(probe)) - first[probe] + 1
    ranks = place + ahead
    precision = place / ranks
    # The official script walks down the list and averages the precision at a mate with that of the place before it,
    # which is 1 before the first place.
    before = np.where(ranks == 1, 1.0, (place - 1) / np.maximum(ranks - 1, 1))
    average = np.bincount(probe, precision, len(total)) / total
    official = np.bincount(probe, (before + precision) / 2, len(total)) / total
    rank = np.full(len(total), MISSED)
    rank[found > 0] = ranks[first[found > 0]]
    reached = np.ceil(RECALL * total[:, None] - 1e-9).astype(int) - 1
    at_levels = np.append(precision, 0.0)[np.where(reached < found[:, None], first[:, None] + reached, len(precision))]
    return rank, average, official, at_levels
