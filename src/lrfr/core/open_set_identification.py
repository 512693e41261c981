"""Open-set identification (1:N): is the probe's identity enrolled, and if so, as whom?

TPIR at a rank against FPIR, as QMUL-SurvFace (Z. Cheng et al., "Surveillance Face Recognition Challenge", 2018) and
IJB-C's 1:N protocol define them. Ties are pessimistic: a template that scores as high as the mate ranks before it, and
an unmated probe at the threshold raises a false alarm.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lrfr.core import inputs
from lrfr.core.bootstrap import ends, rounded
from lrfr.core.gallery_templates import check_average, gallery_templates
from lrfr.core.identification import MISSED, mated_pairs
from lrfr.core.inputs import UNKNOWN, Called, on_host
from lrfr.core.open_set_bootstrap import found_area, tpir_samples
from lrfr.core.ranking import best_scores, count_ahead
from lrfr.core.scored_pairs import count_within, threshold_at
from lrfr.core.scoring import check_metric, comparable, score_pairs
from lrfr.errors import EmbeddingError

FPIR = (0.3, 0.2, 0.1, 0.01)


@dataclass(frozen=True)
class OpenSet:
    """The outcome of an open-set identification.

    Attributes:
        mate_score: (M,) float64, the score of each mated probe's template; minus infinity where one of both is missing.
        mate_rank: (M,) int64, the rank of that template among all, from 1; or ``MISSED``.
        unmated_score: (U,) float64, the best score of each unmated probe; minus infinity where it is missing.
        mated_identity: (M,) int64.
        rank: the last rank at which a mate counts as found.
        n_gallery: the number of templates.
        n_missing: missing rows by ``gallery``, ``mated`` and ``unmated``.
    """

    mate_score: np.ndarray
    mate_rank: np.ndarray
    unmated_score: np.ndarray
    mated_identity: np.ndarray
    rank: int
    n_gallery: int
    n_missing: dict[str, int]

    @property
    def n_unmated(self) -> int:
        """The number of unmated probes, U."""
        return len(self.unmated_score)

    def within(self, rank: int) -> "OpenSet":
        """The same search, where a mate counts as found up to another rank, from 1."""
        return replace(self, rank=rank)

    @property
    def false_alarms(self) -> np.ndarray:
        """(M,) int64: how many unmated probes score at least as high as the mate; U + 1 if it is not within the rank.

        The mated probe is found at an FPIR of k / U exactly if this is no more than k.
        """
        above = self.n_unmated - np.searchsorted(np.sort(self.unmated_score), self.mate_score, side="left")
        return np.where(self.mate_rank <= self.rank, above, self.n_unmated + 1)

    def tpir(self, fpir: float) -> float:
        """The largest TPIR (0..1) among the thresholds whose FPIR is at most ``fpir`` (0..1)."""
        return float((self.false_alarms <= count_within(fpir, self.n_unmated)).mean())

    def threshold(self, fpir: float) -> float:
        """The lowest score, of a mate within the rank or of an unmated probe, whose FPIR is at most ``fpir`` (0..1)."""
        found = np.sort(self.mate_score[self.mate_rank <= self.rank])
        return threshold_at(found, np.sort(self.unmated_score), fpir)

    def auc(self) -> float:
        """The area (0..1) under TPIR against FPIR from 0 to 1: a step function, nothing interpolated.

        It is the chance that a mate is within the rank and scores higher than the best of an unmated probe.
        """
        return float(found_area(self.false_alarms, self.n_unmated).mean())

    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """The points at which TPIR rises: FPIR (K,), ascending from 0, and the TPIR (K,) there."""
        alarms, counts = np.unique(self.false_alarms, return_counts=True)
        found = alarms <= self.n_unmated
        alarms, share = alarms[found], np.cumsum(counts[found]) / len(self.mate_score)
        bends = np.unique(np.concatenate([[0], alarms, [self.n_unmated]]))
        return bends / self.n_unmated, np.append(0.0, share)[np.searchsorted(alarms, bends, side="right")]

    def samples(self, fpir: tuple[float, ...], draws: int, seed: int) -> np.ndarray:
        """What each bootstrap draw finds: TPIR at each FPIR, then the area, (draws, F + 1); NaN as intervals are null.

        Args:
            fpir: F rates.
            draws: of the mated probes by identity, and of the unmated probes.
            seed: of the draws.
        """
        allowed = [count_within(rate, self.n_unmated) for rate in fpir]
        return tpir_samples(self.false_alarms, self.mated_identity, self.n_unmated, allowed, draws, seed)

    def figures(self, fpir: tuple[float, ...] = FPIR, draws: int = 1000, seed: int = 0) -> dict[str, object]:
        """The headline figures with their 95 % bootstrap intervals.

        Args:
            fpir: the false positive identification rates, each above 0 and at most 1.
            draws: number of bootstrap samples: of the mated probes by identity, and of the unmated probes.
            seed: of the draws.

        Returns:
            ``tpir``, ``fnir`` (= 1 - TPIR) and their ``threshold`` by FPIR, null where an FPIR is below 1 / U, which
            the list ``not_resolvable`` then says; ``auc``; ``tpir_interval``, ``fnir_interval`` and
            ``auc_interval``, null with a single identity; ``rank``, ``n_gallery``, ``n_mated``, ``n_unmated``,
            ``n_missing_gallery``, ``n_missing_mated`` and ``n_missing_unmated``.

        Raises:
            EmbeddingError: an FPIR that is no rate.
        """
        wrong = [rate for rate in fpir if not 0 < rate <= 1]
        if wrong:
            raise EmbeddingError(f"an FPIR of {wrong[0]} was asked for", remedy="give rates above 0 and up to 1")
        *found, area = ends(self.samples(fpir, draws, seed)).T
        figures: dict[str, Any] = {"tpir": {}, "fnir": {}, "tpir_interval": {}, "fnir_interval": {}, "threshold": {}}
        vague = []
        for rate, pair in zip(fpir, found, strict=True):
            name, tpir = f"{rate:g}", self.tpir(rate)
            if not count_within(rate, self.n_unmated):
                vague.append(f"FPIR {name}: not resolvable with {self.n_unmated} unmated probes")
                tpir, pair = None, np.full(2, np.nan)
            figures["tpir"][name] = None if tpir is None else round(tpir, 6)
            figures["fnir"][name] = None if tpir is None else round(1 - tpir, 6)
            threshold = self.threshold(rate)
            figures["threshold"][name] = None if tpir is None or np.isinf(threshold) else threshold
            figures["tpir_interval"][name], figures["fnir_interval"][name] = rounded(pair), rounded(1 - pair[::-1])
        figures |= {"auc": round(self.auc(), 6), "auc_interval": rounded(area), "rank": self.rank}
        figures |= {"n_gallery": self.n_gallery, "n_mated": len(self.mate_score), "n_unmated": self.n_unmated}
        figures |= {f"n_missing_{name}": count for name, count in self.n_missing.items()}
        return figures | {"not_resolvable": vague}


def open_set(
    gallery,
    gallery_identity,
    mated,
    mated_identity,
    unmated,
    metric: str = "cosine",
    rank: int = 20,
    average: str = "unit",
    *,
    gallery_missing=None,
    mated_missing=None,
    unmated_missing=None,
    called: Called | None = None,
) -> OpenSet:
    """Searches mated and unmated probes in a gallery of templates.

    Args:
        gallery: (G, D) embeddings, array or tensor; rows of one identity are averaged into a template.
        gallery_identity: (G,) int64; each row of ``UNKNOWN`` (-1) is a template of its own that is nobody's mate.
        mated: (M, D) embeddings of probes whose identity is in the gallery.
        mated_identity: (M,) int64.
        unmated: (U, D) embeddings of probes whose identity is not.
        metric: ``cosine`` or ``euclidean`` (raw features: with ``average="raw"`` only).
        rank: the last rank at which a mate counts as found.
        average: ``unit``: rows are L2-normalised before they are averaged; ``raw``: they are averaged as they are.
        gallery_missing: (G,) bool, unreadable or without a face: left out of their template.
        mated_missing: (M,) bool, likewise: never found.
        unmated_missing: (U,) bool, likewise: never a false alarm, and counted among the unmated ones.
        called: what the user calls an identity, by its number, for errors.

    Raises:
        EmbeddingError: a shape, a type, a value that is not finite, a zero vector under cosine, a mated probe without a
            mate, no unmated probes, a template that averages to zero, or a rank below 1.
    """
    check_metric(metric)
    check_average(average, metric)
    if rank < 1:
        raise EmbeddingError(f"the rank is {rank}", remedy="give the last rank at which a mate counts, from 1")
    gallery, mated = on_host(inputs.embeddings(gallery, "gallery")), on_host(inputs.embeddings(mated, "mated"))
    unmated = on_host(inputs.embeddings(unmated, "unmated"))
    inputs.same_width(gallery=gallery, mated=mated, unmated=unmated)
    gallery_identity = inputs.identities(gallery_identity, gallery, "gallery", unknown=True)
    mated_identity = inputs.identities(mated_identity, mated, "mated")
    inputs.check_mates(mated_identity, gallery_identity, "mated", called)
    usable = {
        "gallery": inputs.present(gallery_missing, gallery, "gallery"),
        "mated": inputs.present(mated_missing, mated, "mated"),
        "unmated": inputs.present(unmated_missing, unmated, "unmated"),
    }
    template, identity = gallery_templates(gallery, gallery_identity, usable["gallery"], metric, average, called)
    score, place = _search(mated, np.where(usable["mated"], mated_identity, UNKNOWN), template, identity, metric)
    best, shown = np.full(len(unmated), -np.inf), np.flatnonzero(usable["unmated"])
    if len(shown) and len(template):
        best[shown] = best_scores(comparable(unmated[shown], metric, "unmated", shown), template, metric)
    named = gallery_identity[gallery_identity != UNKNOWN]
    size = len(np.unique(named)) + len(gallery_identity) - len(named)
    missing = {name: int((~rows).sum()) for name, rows in usable.items()}
    return OpenSet(score, place, best, mated_identity, rank, size, missing)


def _search(
    mated: np.ndarray, wanted: np.ndarray, template: np.ndarray, identity: np.ndarray, metric: str
) -> tuple[np.ndarray, np.ndarray]:
    """Score (M,) and rank (M,) of each mated probe's template; minus infinity and ``MISSED`` where it has none."""
    score, place = np.full(len(wanted), -np.inf), np.full(len(wanted), MISSED)
    mates = mated_pairs(wanted, identity)
    if mates.shape[1]:
        shown = mates[0]
        probe = comparable(mated[shown], metric, "mated", shown)
        pairs = np.stack([np.arange(len(shown)), mates[1]])
        score[shown] = score_pairs(probe, template, pairs, metric)
        ahead = count_ahead(probe, template, np.ones(len(template), bool), pairs, score[shown], metric)
        place[shown] = 1 + ahead
    return score, place
