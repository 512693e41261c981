"""``lrfr score open-set``: is the probe enrolled, and as whom? QMUL-SurvFace's protocol."""

from pathlib import Path
from typing import Any

import numpy as np

from lrfr.core.curve_points import RATES, at_rates
from lrfr.core.inputs import Called
from lrfr.core.open_set_identification import OpenSet, open_set
from lrfr.errors import EmbeddingError
from lrfr.score import curves
from lrfr.score.arrays import name_of, numbered, read_arrays
from lrfr.score.closed_set import ARRAYS, missing_notes
from lrfr.score.duplicates import fingerprints, notes, repeated
from lrfr.score.facts import comparison
from lrfr.score.outcome import Outcome, Plot, bootstrap, figures_table

AVERAGES = {"unit": "each L2-normalised first", "raw": "as they are"}


def score(
    gallery: Path, mated: Path, unmated: Path, metric: str | None, rank: int, fpir: tuple[float, ...],
    average: str | None, draws: int, seed: int,
) -> Outcome:  # fmt: skip
    """Mated and unmated probes are searched for in a gallery of templates, one per identity.

    Args:
        gallery: ``embedding`` (G, D), ``identity`` (G,), and ``missing`` (G,) bool where some have no face.
        mated: likewise, of people in the gallery.
        unmated: ``embedding`` (U, D) of people who are not; ``identity`` and ``missing`` where there are.
        metric: ``cosine`` or ``euclidean``; None takes the model's own, which the files tell, or the cosine.
        rank: the last at which a mate counts as found.
        fpir: the rates to read TPIR at.
        average: ``unit`` or ``raw``: how a template is made; None is ``raw`` where the model says that it is
            Euclidean, else ``unit``.
        draws: bootstrap samples.
        seed: of the draws.

    Raises:
        EmbeddingError: a file or an array that cannot be used, embeddings of two models, a mated probe without a mate,
            or an unmated one with.
    """
    enrolled, shown = (read_arrays(path, ARRAYS, ("missing",)) for path in (gallery, mated))
    strange = read_arrays(unmated, ("embedding",), ("identity", "missing"))
    strangers = strange.get("identity", np.full(len(strange["embedding"]), -1))
    given = enrolled["identity"], shown["identity"], strangers
    names, identity, strangers = numbered(*given)

    def called(number: int) -> object:
        return name_of(number, *given)

    _check_strangers(strangers, names, called)
    compared = comparison([gallery, mated, unmated], metric)
    average = average or ("raw" if metric is None and compared.metric == "euclidean" else "unit")
    outcome = open_set(
        enrolled["embedding"], names, shown["embedding"], identity, strange["embedding"], compared.metric, rank,
        average,
        gallery_missing=enrolled.get("missing"), mated_missing=shown.get("missing"),
        unmated_missing=strange.get("missing"), called=called,
    )  # fmt: skip
    inputs = {"gallery": enrolled, "mated": shown, "unmated": strange}
    marks = {name: fingerprints(of["embedding"], of.get("missing")) for name, of in inputs.items()}
    duplicates = {name: repeated(of) for name, of in marks.items()}
    probes = np.concatenate([marks["mated"], marks["unmated"]])
    duplicates["probe_in_gallery"] = int(np.isin(probes, marks["gallery"]).sum())
    figures: dict[str, Any] = outcome.figures(fpir, draws, seed) | {"duplicates": duplicates}
    title = (
        f"Open set: {len(identity):,} mated and {outcome.n_unmated:,} unmated probes, {outcome.n_gallery:,} templates"
    )
    said = compared.notes + missing_notes(figures) + notes(duplicates)
    definition = compared.definition | _definition(rank, average)
    definition |= bootstrap("the mated identities and unmated probes", draws, seed)
    return Outcome(figures, definition, [figures_table(title, figures)], lambda: _plots(outcome), said)


def _check_strangers(unmated: np.ndarray, gallery: np.ndarray, called: Called) -> None:
    enrolled = np.flatnonzero(np.isin(unmated, gallery[gallery >= 0]))
    if len(enrolled):
        what = f"{len(enrolled)} unmated rows have an identity that is in the gallery"
        where = f"unmated row {enrolled[0]}: identity {called(unmated[enrolled[0]])}"
        raise EmbeddingError(what, where=where, remedy="such a probe is a mated one")


def _definition(rank: int, average: str) -> dict[str, str]:
    return {
        "ties": "pessimistic: a template that scores as high as the mate ranks before it",
        "template": f"the mean of an identity's gallery embeddings, {AVERAGES[average]}",
        "tpir": f"share of mated probes whose mate is within rank {rank} and scores at or above the threshold",
        "fpir": "share of unmated probes whose best score is at or above the threshold; TPIR is the largest whose FPIR "
        "is not above the rate, nothing is interpolated",
    }


def _plots(outcome: OpenSet) -> list[Plot]:
    tpir = at_rates(*outcome.curve(), outcome.n_unmated)
    rising = curves.rates("tpir_fpir", "TPIR against FPIR", {"fpir": RATES, "tpir": tpir}, ("FPIR", "TPIR"))
    return rising + curves.det({"fpir": RATES, "fnir": 1 - tpir}, ("FPIR", "FNIR"))
