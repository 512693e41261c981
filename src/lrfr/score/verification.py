"""``lrfr score verification``: are two faces one person's? From the scores of pairs."""

from pathlib import Path
from typing import Any

from lrfr.core.pair_verification import verification
from lrfr.score import curves
from lrfr.score.arrays import read_arrays
from lrfr.score.outcome import Outcome, bootstrap, figures_table

METHODS = {
    "exact": "the largest TAR among thresholds whose FAR is not above the rate, nothing is interpolated",
    "nearest": "at the point of the ROC whose FAR is nearest to the rate, as insightface reads it; it may be above",
}
READINGS = {
    "ties": "pessimistic: an impostor at the threshold is accepted",
    "auc": "the chance that a genuine score is above an impostor's, a tie counting half",
    "eer": "the mean of FAR and FNMR at the threshold where they differ least",
    "accuracy": "at the best threshold over all pairs",
}


def score(scores: Path, far: tuple[float, ...], method: str, draws: int, seed: int) -> Outcome:
    """Pairs are accepted at or above a threshold.

    Args:
        scores: ``score`` (N,), the higher the more alike, minus infinity where a face is missing; ``same`` (N,) bool;
            and ``identity_left`` (N,), where known, for intervals over identities.
        far: the rates to read TAR at.
        method: ``exact`` or ``nearest``.
        draws: bootstrap samples.
        seed: of the draws.

    Raises:
        EmbeddingError: a file or an array that cannot be used, or pairs of one kind only.
    """
    pairs = read_arrays(scores, ("score", "same"), ("identity_left",))
    outcome = verification(pairs["score"], pairs["same"], pairs.get("identity_left"))
    figures: dict[str, Any] = outcome.figures(far, method, draws, seed)
    title = f"Verification: {figures['n_genuine']:,} genuine and {figures['n_impostor']:,} impostor pairs"
    definition = {"tar": METHODS[method], **READINGS, **bootstrap(figures.get("interval_over", ""), draws, seed)}
    return Outcome(
        figures, definition, [figures_table(title, figures)], lambda: curves.roc_and_det(outcome), missing_note(figures)
    )


def missing_note(figures: dict[str, Any]) -> list[str]:
    """A sentence if there are pairs of which a face is missing."""
    count = figures["n_missing"]
    return [f"{count} pairs lack a face: no threshold accepts them"] if count else []
