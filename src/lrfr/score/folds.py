"""``lrfr score folds``: ten-fold verification of embedding pairs, as LFW, CALFW, CPLFW, AgeDB-30 and CFP-FP have it."""

from pathlib import Path
from typing import Any

import numpy as np

from lrfr.core.pair_verification import Verification, verification
from lrfr.core.template_pooling import pair_scores
from lrfr.core.tenfold import folds
from lrfr.score import curves
from lrfr.score.arrays import read_arrays
from lrfr.score.duplicates import fingerprints, notes, repeated
from lrfr.score.facts import comparison
from lrfr.score.outcome import Outcome, Table, bootstrap, figures_table, number

THRESHOLDS = {
    "exact": "midway between any two neighbouring scores of the other folds",
    "grid": "insightface's: squared distances of L2-normalised embeddings below 0, 0.01 ... 3.99",
}


def score(pairs: Path, metric: str | None, thresholds: str, draws: int, seed: int) -> Outcome:
    """Each fold is judged at the best threshold of the others.

    Args:
        pairs: ``left``, ``right`` (N, D), ``same`` (N,) bool; where there are, ``fold`` (N,), ``identity_left`` (N,),
            and ``missing`` (N,) bool: pairs of which a face is missing.
        metric: ``cosine`` or ``euclidean``; None takes the model's own, which the files tell, or the cosine.
        thresholds: ``exact`` or ``grid``: where thresholds are looked for.
        draws: bootstrap samples.
        seed: of the draws.

    Raises:
        EmbeddingError: a file or an array that cannot be used, or fewer pairs than folds.
    """
    given = read_arrays(pairs, ("left", "right", "same"), ("fold", "identity_left", "missing"))
    compared = comparison([pairs], metric)
    left, right, missing = given["left"], given["right"], given.get("missing")
    outcome = folds(left, right, given["same"], given.get("fold"), metric=compared.metric, thresholds=thresholds,
                    left_missing=missing, right_missing=missing)  # fmt: skip
    marks, others = fingerprints(left, missing), fingerprints(right, missing)
    same_both = int((marks == others).sum())
    duplicates = {"pairs": repeated(marks * np.uint64(3) + others), "left_is_right": same_both}
    figures: dict[str, Any] = outcome.figures(given.get("identity_left"), draws, seed) | {"duplicates": duplicates}
    title = f"{len(outcome.accuracy)} folds, {len(left):,} pairs"
    definition = {
        **compared.definition,
        "folds": "as given" if "fold" in given else "ten runs of consecutive pairs, unshuffled",
        "thresholds": THRESHOLDS[thresholds],
        "accuracy": "mean over folds, each at the best threshold of the others",
        "accuracy_std": "of the folds, population",
        **bootstrap(str(figures.get("interval_over")), draws, seed),
    }
    each = enumerate(zip(figures["per_fold"], figures["threshold_per_fold"], strict=True), 1)
    rows = [(f"{fold}", f"{accuracy:.4f}", number(threshold, "none")) for fold, (accuracy, threshold) in each]
    tables = [figures_table(title, figures), Table("Fold by fold", ("fold", "accuracy", "threshold"), rows)]

    def plots():
        return curves.roc_and_det(_all_pairs(left, right, given["same"], compared.metric, missing))

    return Outcome(figures, definition, tables, plots, compared.notes + notes(duplicates))


def _all_pairs(left, right, same: np.ndarray, metric: str, missing: np.ndarray | None) -> Verification:
    """All folds' pairs together, for a ROC."""
    rows = np.arange(len(left))
    lacks = None if missing is None else np.tile(missing, 2)
    return verification(pair_scores(np.concatenate([left, right]), rows, rows + len(left), metric, lacks), same)
