"""``lrfr score verification``: are two faces one person's? From the scores of pairs."""

from pathlib import Path
from typing import Any

import numpy as np

from lrfr.core.exhaustive_pairs import every_pair
from lrfr.core.pair_verification import verification
from lrfr.score import curves
from lrfr.score.arrays import numbered, read_arrays
from lrfr.score.duplicates import fingerprints, notes, repeated
from lrfr.score.facts import Comparison, comparison
from lrfr.score.outcome import Outcome, bootstrap, figures_table

Arrays = dict[str, np.ndarray]
METHODS = {
    "exact": "the largest TAR among thresholds whose FAR is not above the rate, nothing is interpolated",
    "nearest": "at the point of the ROC whose FAR is nearest to the rate, as insightface reads it; it may be above",
}
EVERY = {False: "every probe with every gallery row", True: "every two rows of the file, once"}
EMBEDDINGS = ("embedding", "identity")
READINGS = {
    "ties": "pessimistic: an impostor at the threshold is accepted",
    "auc": "the chance that a genuine score is above an impostor's, a tie counting half",
    "eer": "the mean of FAR and FNMR at the threshold where they differ least",
    "accuracy": "at the best threshold over all pairs",
}


def score(
    scores: Path | None, probe: Path | None, gallery: Path | None, metric: str | None, far: tuple[float, ...],
    method: str, draws: int, seed: int,
) -> Outcome:  # fmt: skip
    """Pairs are accepted at or above a threshold: those that are given, or every pair of a probe and a gallery row.

    Args:
        scores: ``score`` (N,), the higher the more alike, minus infinity where a face is missing; ``same`` (N,) bool;
            and ``identity_left`` (N,), where known, for intervals over identities.
        probe: in place of ``scores``: embeddings as for the closed set.
        gallery: likewise; where it is the same file, every two of its rows are a pair, once.
        metric: of embeddings: ``cosine`` or ``euclidean``; None takes the model's own, which the files tell, or the
            cosine.
        far: the rates to read TAR at.
        method: ``exact`` or ``nearest``.
        draws: bootstrap samples.
        seed: of the draws.

    Raises:
        EmbeddingError: a file or an array that cannot be used, or pairs of one kind only.
    """
    made: dict[str, Any] = {}
    definition, said = {}, []
    if probe is not None and gallery is not None:
        pairs, compared, made = _every_pair(probe, gallery, metric)
        definition, said = compared.definition | {"pairs": EVERY[probe.resolve() == gallery.resolve()]}, compared.notes
    else:
        pairs = read_arrays(scores or Path(), ("score", "same"), ("identity_left",))
    outcome = verification(pairs["score"], pairs["same"], pairs.get("identity_left"))
    figures: dict[str, Any] = outcome.figures(far, method, draws, seed) | made
    title = f"Verification: {figures['n_genuine']:,} genuine and {figures['n_impostor']:,} impostor pairs"
    definition |= {"tar": METHODS[method], **READINGS, **bootstrap(figures.get("interval_over", ""), draws, seed)}
    said = said + missing_note(figures) + notes(made.get("duplicates", {}))
    return Outcome(figures, definition, [figures_table(title, figures)], lambda: curves.roc_and_det(outcome), said)


def _every_pair(probe: Path, gallery: Path, metric: str | None) -> tuple[Arrays, Comparison, dict[str, Any]]:
    """The scored pairs of two files of embeddings, or of one, how they are compared, and what there is of them."""
    alone = probe.resolve() == gallery.resolve()
    compared = comparison([probe, gallery], metric)
    shown, enrolled = (read_arrays(path, EMBEDDINGS, ("missing",)) for path in (probe, gallery))
    shown["identity"], enrolled["identity"] = numbered(shown["identity"], enrolled["identity"])
    others = {} if alone else {"gallery": enrolled["embedding"], "gallery_identity": enrolled["identity"]}
    pairs = every_pair(
        shown["embedding"], shown["identity"], metric=compared.metric,
        probe_missing=shown.get("missing"), gallery_missing=enrolled.get("missing"), **others,
    )  # fmt: skip
    marks, in_gallery = (fingerprints(of["embedding"], of.get("missing")) for of in (shown, enrolled))
    duplicates = {"probe": repeated(marks)}
    if not alone:
        leaked = int(np.isin(marks, in_gallery).sum())
        duplicates |= {"gallery": repeated(in_gallery), "probe_in_gallery": leaked}
    counts = {"n_probe": len(shown["identity"]), "n_gallery": len(enrolled["identity"]), "duplicates": duplicates}
    return {"score": pairs.score, "same": pairs.same, "identity_left": pairs.identity}, compared, counts


def missing_note(figures: dict[str, Any]) -> list[str]:
    """A sentence if there are pairs of which a face is missing."""
    count = figures["n_missing"]
    return [f"{count} pairs lack a face: no threshold accepts them"] if count else []
