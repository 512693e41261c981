"""IJB's 1:N: closed and open set, gallery by gallery, and the mean of the galleries.

The probes of people in the other gallery are a gallery's unmated ones (Maze et al., "IARPA Janus Benchmark-C", 2018).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrfr.core.bootstrap import ends, rounded, rounded_means
from lrfr.core.curve_points import RATES, at_rates, resolvable
from lrfr.core.identification import ClosedSet, closed_set
from lrfr.core.inputs import UNKNOWN, Called
from lrfr.core.open_set_identification import OpenSet, open_set
from lrfr.errors import EmbeddingError

FPIR = (0.01, 0.1)
RANKED = (1, 5, 10, 20, 50)
RANKS = np.arange(1, 51)  # of the CMC
BOTH = "both"  # the galleries in one, as insightface's evaluation has them


@dataclass(frozen=True)
class Templates:
    """Enrolled templates.

    Attributes:
        ids: (T,) their names.
        vectors: (T, D), of length 1; zero where missing.
        missing: (T,) bool: none of the template's images could be read.
    """

    ids: Any
    vectors: np.ndarray
    missing: np.ndarray


@dataclass(frozen=True)
class Search:
    """One gallery and the probes, as rows of the templates, and their identities (int64).

    ``called`` says what the user calls an identity, by its number, for errors.
    """

    gallery: np.ndarray
    gallery_identity: np.ndarray
    probe: np.ndarray
    probe_identity: np.ndarray
    called: Called | None = None

    @property
    def mated(self) -> np.ndarray:
        """(P,) bool: whose identity is in the gallery."""
        return np.isin(self.probe_identity, self.gallery_identity[self.gallery_identity != UNKNOWN])


@dataclass(frozen=True)
class Found:
    """The outcomes by gallery.

    Attributes:
        closed: (outcome, the probes' identities) by gallery, and in ``both``.
        opened: by gallery; one whose probes all have a mate in it has no open set.
    """

    closed: dict[str, tuple[ClosedSet, np.ndarray]]
    opened: dict[str, OpenSet]

    def figures(self, draws: int, seed: int) -> dict[str, Any]:
        """Figures by gallery (``closed``, and ``open`` or null), and ``mean``."""
        figures: dict[str, Any] = {
            name: {"closed": outcome.figures(identity, draws, seed), "open": None}
            for name, (outcome, identity) in self.closed.items()
        }
        for name, outcome in self.opened.items():
            figures[name]["open"] = outcome.figures(FPIR, draws, seed)
        return figures | {"mean": self.mean(draws, seed)}

    def mean(self, draws: int, seed: int) -> dict[str, Any]:
        """``closed`` (rank-k) and ``open`` (FNIR by FPIR): the mean of the galleries, null where one has no figure."""
        opened = list(self.opened.values()) if len(self.opened) == len(self._single) else []
        return {"closed": self._mean_closed(draws, seed), "open": _mean_open(opened, draws, seed)}

    @property
    def n_galleries(self) -> int:
        """How many there are, ``both`` not counted."""
        return len(self._single)

    @property
    def identity(self) -> np.ndarray:
        """(P,) int64: whom the probes show that are searched for in each gallery, one gallery after the other."""
        return np.concatenate([who for _, who in self._single])

    def hits(self, rank: int) -> np.ndarray:
        """(P,) float64: above 0 where a probe of ``identity`` is found within the rank; the mean is that of the
        galleries."""
        # A probe weighs by its gallery's share, so that the mean over probes is the mean over galleries
        share = len(self.identity) / len(self._single)
        return np.concatenate([(outcome.rank <= rank) * share / len(who) for outcome, who in self._single])

    def cmc(self) -> np.ndarray:
        """(50,): the mean of the galleries' CMC at ``RANKS``."""
        return np.mean([outcome.cmc(RANKS) for outcome, _ in self._single], axis=0)

    def fnir(self) -> np.ndarray:
        """(71,): the mean of the galleries' FNIR at ``RATES``; NaN where one of them does not resolve the rate."""
        if not self.opened:
            return np.full(len(RATES), np.nan)
        return 1 - np.mean([at_rates(*found.curve(), found.n_unmated) for found in self.opened.values()], axis=0)

    @property
    def _single(self) -> list[tuple[ClosedSet, np.ndarray]]:
        return [found for name, found in self.closed.items() if name != BOTH]

    def _mean_closed(self, draws: int, seed: int) -> dict[str, object]:
        """Rank-k: the mean of the galleries with its interval, null where one has no figure."""
        if not all(outcome.others for outcome, _ in self._single):
            return dict.fromkeys([f"rank{k}" for k in RANKED])
        return rounded_means({f"rank{k}": self.hits(k) for k in RANKED}, self.identity, draws, seed)


def search(wanted: Mapping[str, Search], probe: Templates, gallery: Templates) -> Found:
    """Every probe template in each gallery; those of the other gallery's people are the unmated ones.

    Args:
        wanted: by gallery.
        probe: the templates as the probes show them.
        gallery: the same templates as the galleries show them, such as at another resolution.

    Raises:
        EmbeddingError: nobody who is searched for is in a gallery.
    """
    closed = {name: _closed(name, one, probe, gallery) for name, one in wanted.items()}
    opened = {name: _open(one, probe, gallery) for name, one in wanted.items() if not one.mated.all()}
    if len(wanted) > 1:
        closed[BOTH] = _closed(BOTH, _merged(list(wanted.values())), probe, gallery)
    return Found(closed, opened)


def _closed(name: str, wanted: Search, probe: Templates, gallery: Templates) -> tuple[ClosedSet, np.ndarray]:
    mated, enrolled, identity = wanted.probe[wanted.mated], wanted.gallery, wanted.probe_identity[wanted.mated]
    if not len(mated):
        raise EmbeddingError("no probe's identity is in the gallery", where=f"gallery {name}")
    outcome = closed_set(
        probe.vectors[mated], identity, gallery.vectors[enrolled], wanted.gallery_identity,
        probe_missing=probe.missing[mated], gallery_missing=gallery.missing[enrolled], called=wanted.called,
    )  # fmt: skip
    return outcome, identity


def _open(wanted: Search, probe: Templates, gallery: Templates) -> OpenSet:
    enrolled, mated, unmated = wanted.gallery, wanted.probe[wanted.mated], wanted.probe[~wanted.mated]
    return open_set(
        gallery.vectors[enrolled], wanted.gallery_identity,
        probe.vectors[mated], wanted.probe_identity[wanted.mated], probe.vectors[unmated], rank=len(enrolled),
        gallery_missing=gallery.missing[enrolled], mated_missing=probe.missing[mated],
        unmated_missing=probe.missing[unmated], called=wanted.called,
    )  # fmt: skip


def _merged(wanted: list[Search]) -> Search:
    gallery = np.concatenate([one.gallery for one in wanted])
    identity = np.concatenate([one.gallery_identity for one in wanted])
    return Search(gallery, identity, wanted[0].probe, wanted[0].probe_identity, wanted[0].called)


def _mean_open(opened: list[OpenSet], draws: int, seed: int) -> dict[str, Any]:
    """FNIR by FPIR: the mean of the galleries, with its interval; each gallery is drawn by itself."""
    figures: dict[str, Any] = {"fnir": {}, "fnir_interval": {}}
    vague = []
    drawn = [outcome.samples(FPIR, draws, seed + 2 * number) for number, outcome in enumerate(opened)]
    for column, rate in enumerate(FPIR):
        name, known = f"{rate:g}", bool(opened) and all(resolvable(rate, outcome.n_unmated) for outcome in opened)
        figures["fnir"][name] = figures["fnir_interval"][name] = None
        if known:
            figures["fnir"][name] = round(float(np.mean([1 - outcome.tpir(rate) for outcome in opened])), 6)
            figures["fnir_interval"][name] = rounded(ends(np.mean([1 - samples[:, column] for samples in drawn], 0)))
        else:
            vague.append(f"FPIR {name}: not resolvable in every gallery")
    return figures | ({"not_resolvable": vague} if vague else {})
