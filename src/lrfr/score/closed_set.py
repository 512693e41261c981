"""``lrfr score closed-set``: who of the gallery is it? TinyFace's protocol."""

from pathlib import Path
from typing import Any

import numpy as np

from lrfr.charts.curves import pr_chart
from lrfr.core.identification import ClosedSet, closed_set
from lrfr.core.inputs import Called
from lrfr.score import curves
from lrfr.score.arrays import name_of, numbered, read_arrays
from lrfr.score.duplicates import fingerprints, notes, repeated
from lrfr.score.facts import comparison
from lrfr.score.outcome import Outcome, Plot, bootstrap, figures_table

Arrays = dict[str, np.ndarray]
ARRAYS = ("embedding", "identity")
READINGS = {
    "ties": "pessimistic: a non-mate that scores as high as a mate ranks before it",
    "rank": "of a probe's best mate among the whole gallery, distractors included",
    "map": "mean over probes of the mean over mates of the precision at the mate's rank",
    "map_official": "trapezoidal average precision, as TinyFace's official script has it",
}


def score(probe: Path, gallery: Path, metric: str | None, draws: int, seed: int) -> Outcome:
    """Every probe is searched for in the gallery.

    Args:
        probe: ``embedding`` (P, D), ``identity`` (P,), and ``missing`` (P,) bool where some have no face.
        gallery: likewise; an unknown identity (-1) is a distractor.
        metric: ``cosine`` or ``euclidean``; None takes the model's own, which the files tell, or the cosine.
        draws: bootstrap samples.
        seed: of the draws.

    Raises:
        EmbeddingError: a file or an array that cannot be used, embeddings of two models, or a probe without a mate in
            the gallery.
    """
    shown, enrolled = (read_arrays(path, ARRAYS, ("missing",)) for path in (probe, gallery))
    names = shown["identity"], enrolled["identity"]
    shown["identity"], enrolled["identity"] = numbered(*names)
    compared = comparison([probe, gallery], metric)
    outcome = identify(shown, enrolled, compared.metric, lambda number: name_of(number, *names))
    identity = shown["identity"]
    duplicates = copies(shown, enrolled)
    figures: dict[str, Any] = outcome.figures(identity, draws, seed) | {"duplicates": duplicates}
    title = f"Closed set: {len(identity):,} probes in a gallery of {outcome.gallery_size:,}"
    definition = {**compared.definition, **READINGS, **bootstrap("the probes' identities", draws, seed)}
    said = [figures.pop("note")] if "note" in figures else []
    said += compared.notes + missing_notes(figures) + notes(duplicates)
    return Outcome(figures, definition, [figures_table(title, figures)], lambda: _plots(outcome), said)


def identify(probe: Arrays, gallery: Arrays, metric: str, called: Called) -> ClosedSet:
    """The closed set of two files' arrays, whose identities are numbers; ``called`` tells their names."""
    return closed_set(
        probe["embedding"], probe["identity"], gallery["embedding"], gallery["identity"], metric,
        probe_missing=probe.get("missing"), gallery_missing=gallery.get("missing"), called=called,
    )  # fmt: skip


def copies(probe: Arrays, gallery: Arrays) -> dict[str, int]:
    """How many rows repeat another one, and how many probes a gallery row."""
    marks, others = (fingerprints(of["embedding"], of.get("missing")) for of in (probe, gallery))
    leaked = int(np.isin(marks, others).sum())
    return {"probe": repeated(marks), "gallery": repeated(others), "probe_in_gallery": leaked}


def missing_notes(figures: dict[str, Any]) -> list[str]:
    """A sentence for each kind of rows that were said to be missing."""
    counts = {name.removeprefix("n_missing_"): figures[name] for name in figures if name.startswith("n_missing_")}
    return [f"{count} {name} rows are missing: they count as misses" for name, count in counts.items() if count]


def _plots(outcome: ClosedSet) -> list[Plot]:
    precision = {"recall": outcome.recall, "precision": outcome.precision.mean(axis=0)}
    title = "Precision and recall"
    return curves.cmc({"cmc": outcome}) + (curves.plot("pr", title, precision, pr_chart) if outcome.others else [])
