"""The error-versus-reject curve (ERC): how the FNMR falls as the pairs of the worst quality are rejected.

P. Grother and E. Tabassi, "Performance of biometric quality measures", TPAMI 2007.
"""

from dataclasses import dataclass

import numpy as np

from lrfr.core.bootstrap import drawn, ends, rounded
from lrfr.core.scored_pairs import checked_pairs, count_within, threshold_at
from lrfr.errors import EmbeddingError, unknown_name

VARIANTS = ("fixed", "reestimated")
"""Whether the threshold is set once, on all pairs, or at each step on the pairs left (CR-FIQA's and MagFace's code)."""

AREAS = {"pauc20": 0.20, "pauc95": 0.95}
"""The areas under a curve, by name: the ratio up to which each is taken."""

RATIO = np.arange(96) / 100
"""The shares of pairs rejected: every hundredth from 0 to 0.95."""


@dataclass(frozen=True)
class Rejection:
    """An error-versus-reject curve, one entry per ratio in the arrays of length R.

    Attributes:
        ratio: (R,) 0..1: the share of pairs that may be rejected.
        rejected: (R,) 0..1: the share that was; less where a group of equal quality did not fit.
        threshold: (R,) of the score; NaN where the FMR is not resolvable with the impostors left.
        fnmr: (R,) 0..1: the share of the genuine pairs left that score below the threshold; NaN where there is no
            threshold or no genuine pair.
        n_impostor: (R,) int64: impostor pairs left.
        genuine: (G,) the genuine pairs' scores.
        until: (G,) int64: how many of the ratios keep the pair.
        identity: (G,) identities of the genuine pairs' left side, or None.
        fmr: the false match rate of the threshold.
        variant: ``fixed`` or ``reestimated``.
    """

    ratio: np.ndarray
    rejected: np.ndarray
    threshold: np.ndarray
    fnmr: np.ndarray
    n_impostor: np.ndarray
    genuine: np.ndarray
    until: np.ndarray
    identity: np.ndarray | None
    fmr: float
    variant: str

    def area(self, limit: float) -> float:
        """The area under the curve from 0 to the ratio ``limit``, by trapezoids and not divided by ``limit``."""
        return float(_area(self.ratio, self.fnmr, limit))

    def figures(self, draws: int = 1000, seed: int = 0) -> dict[str, object]:
        """The curve and its areas up to 20 % and 95 %, ready for JSON; null where there is no figure.

        Args:
            draws: bootstrap samples, over the identities of the genuine pairs or, without them, over the genuine
                pairs; thresholds and the order of rejection stay as they are. 0 leaves the intervals out.
            seed: of the draws.
        """
        areas = {name: self.area(limit) for name, limit in AREAS.items()}
        figures: dict[str, object] = {
            "ratio": self.ratio.tolist(),
            "fnmr": [_number(value) for value in self.fnmr],
            **{name: _number(area) for name, area in areas.items()},
            "threshold": self.threshold[0].item() if np.isfinite(self.threshold[0]) else None,
            "rejected": [_number(value) for value in self.rejected],
            "fmr": self.fmr,
            "variant": self.variant,
            "n_genuine": len(self.genuine),
            "n_impostor": int(self.n_impostor[0]),
            "not_resolvable": self._not_resolvable(),
        }
        if draws:
            for name, samples in self.samples(draws, seed).items():
                known = figures[name] is not None
                figures[f"{name}_interval"] = interval_of(samples) if known else None
            figures["interval_over"] = "pairs" if self.identity is None else "identities"
        return figures

    def samples(self, draws: int, seed: int) -> dict[str, np.ndarray]:
        """Each area in every bootstrap sample, (draws,), NaN where a sample has no genuine pair left.

        Curves of the same genuine pairs, by other qualities or scores, share their draws: differences are paired.
        """
        curves = self._drawn_curves(draws, seed)
        return {name: _area(self.ratio, curves, limit) for name, limit in AREAS.items()}

    def _not_resolvable(self) -> list[str]:
        steps = np.flatnonzero(np.isnan(self.threshold))
        if not len(steps):
            return []
        since = f" from the ratio {self.ratio[steps[0]]:g} on" if steps[0] else ""
        return [f"FMR {self.fmr:g}: not resolvable with {self.n_impostor[steps[0]]} impostors{since}"]

    def _drawn_curves(self, draws: int, seed: int) -> np.ndarray:
        """The FNMR (draws, R) of each bootstrap sample, NaN where it has no genuine pair left."""
        identity = np.arange(len(self.genuine)) if self.identity is None else self.identity
        people, person = np.unique(identity, return_inverse=True)
        if len(people) < 2:
            return np.full((draws, len(self.ratio)), np.nan)
        kept = self.until[:, None] > np.arange(len(self.ratio))
        missed = kept & (self.genuine[:, None] < self.threshold)
        order = np.argsort(person, kind="stable")
        first = np.searchsorted(person[order], np.arange(len(people)))
        lost, left = (np.add.reduceat(side[order].astype(np.float32), first, axis=0) for side in (missed, kept))
        batches = (times.astype(np.float32) for times in drawn(len(people), draws, seed))
        with np.errstate(invalid="ignore"):
            return np.concatenate([(times @ lost) / (times @ left) for times in batches]).astype(np.float64)


def reject(
    score: np.ndarray,
    same: np.ndarray,
    quality_left: np.ndarray,
    quality_right: np.ndarray,
    fmr: float = 1e-3,
    variant: str = "fixed",
    identity: np.ndarray | None = None,
    images: np.ndarray | None = None,
) -> Rejection:
    """Rejects pairs, genuine and impostor alike, in the order of their quality, which is the lower of their two; or
    images, with all the pairs that they are in.

    Pairs of equal quality are rejected together, once all of them fit into the ratio, so no figure depends on the
    order of rows and a constant quality rejects nothing. The threshold is the lowest score whose FMR is at most
    ``fmr``: an impostor at the threshold is a false match.

    Args:
        score: (N,) float, the higher the more alike; minus infinity where a face is missing.
        same: (N,) bool.
        quality_left: (N,) float, the higher the better; minus infinity where there is none.
        quality_right: (N,) float.
        fmr: the false match rate (0..1) that sets the threshold.
        variant: ``fixed``: on all pairs; ``reestimated``: on the pairs left, at each step.
        identity: (N,) the identities of the pairs' left (probe) side, for intervals over identities.
        images: (M,) the quality of every image that is in a pair: the ratio is then that of the images, of which the
            worst go first; ``rejected`` says how many pairs went with them. None: the ratio is that of the pairs.

    Raises:
        EmbeddingError: lengths that differ, ``same`` not bool, a score or quality that is NaN, pairs of one kind only.
    """
    if variant not in VARIANTS:
        raise unknown_name("variant", variant, VARIANTS)
    score, same = checked_pairs(score, same)
    quality = _pair_quality(quality_left, quality_right, score.shape)
    if identity is not None and np.shape(identity) != score.shape:
        raise EmbeddingError(f"{np.shape(identity)} identities for {score.shape} scores; one per pair is needed")
    # a pair goes once all pairs, or images, up to its quality may go
    ranked = quality if images is None else np.asarray(images)
    place = np.searchsorted(np.sort(ranked), quality, "right")
    until = np.searchsorted([count_within(ratio, len(ranked)) for ratio in RATIO], place)
    order = np.argsort(score)
    sides = [(score[rows], until[rows]) for rows in (order[same[order]], order[~same[order]])]
    threshold, fnmr = np.full((2, len(RATIO)), np.nan)
    impostors = len(score) - int(same.sum()) - _gone(until[~same])
    for step in range(len(RATIO)):
        genuine, impostor = (scores[kept_until > step] for scores, kept_until in sides)
        if step and variant == "fixed":
            threshold[step] = threshold[0]
        elif count_within(fmr, len(impostor)):
            threshold[step] = threshold_at(genuine, impostor, fmr)
        if len(genuine) and not np.isnan(threshold[step]):
            fnmr[step] = (genuine < threshold[step]).mean()
    who = None if identity is None else np.asarray(identity)[same]
    rejected = _gone(until) / len(score)
    return Rejection(RATIO, rejected, threshold, fnmr, impostors, score[same], until[same], who, float(fmr), variant)


def interval_of(samples: np.ndarray) -> list[float] | None:
    """The 95 % interval of bootstrapped areas (draws,) or of their differences; None where no sample has one."""
    known = samples[~np.isnan(samples)]
    return rounded(ends(known)) if len(known) else None


def _pair_quality(left: np.ndarray, right: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The lower of the two qualities (N,) of each pair."""
    for name, quality in (("quality_left", np.asarray(left)), ("quality_right", np.asarray(right))):
        if quality.shape != shape:
            raise EmbeddingError(f"{name} {quality.shape} and scores {shape} differ; both must be (N,)")
        if quality.dtype.kind not in "fiu":
            raise EmbeddingError(f"{name} holds {quality.dtype}, not numbers", remedy="store it as float32")
        bad = np.flatnonzero(np.isnan(quality))
        if len(bad):
            remedy = "give an image without a quality minus infinity"
            raise EmbeddingError(f"{len(bad)} of {name} are NaN", where=f"{name} row {bad[0]}", remedy=remedy)
    return np.minimum(left, right)


def _gone(until: np.ndarray) -> np.ndarray:
    """How many pairs are rejected at each ratio: (R,) int64."""
    return np.cumsum(np.bincount(until, minlength=len(RATIO))[: len(RATIO)])


def _area(ratio: np.ndarray, fnmr: np.ndarray, limit: float) -> np.ndarray:
    """The area under curves ``fnmr`` (..., R) up to the ratio ``limit``, by trapezoids."""
    points = int(np.searchsorted(ratio, limit, "right"))
    return ((fnmr[..., 1:points] + fnmr[..., : points - 1]) / 2 * np.diff(ratio[:points])).sum(axis=-1)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)
