"""``lrfr score templates --pairs``: IJB-B's and IJB-C's 1:1, from the embeddings of images."""

from pathlib import Path
from typing import Any

import numpy as np

from lrfr.core import pooling_gain
from lrfr.core.pair_verification import FARS, verification
from lrfr.core.template_pooling import pair_scores
from lrfr.score import curves
from lrfr.score.duplicates import notes, repeated
from lrfr.score.enrolment import definition, enrol, metric_notes
from lrfr.score.outcome import LABELS, Outcome, Table, bootstrap, figures_table, gain_table
from lrfr.score.template_lists import read_pairs
from lrfr.score.verification import METHODS, READINGS, missing_note


def score(images: Path, pairs: Path, norm: str, far_method: str, draws: int, seed: int) -> Outcome:
    """1:1: pairs of templates.

    Args:
        images: ``embedding`` (N, D), ``template`` and ``media`` (N,) whole numbers or text; ``missing`` (N,) bool and
            ``identity`` (N,), for intervals over identities, where there are.
        pairs: lines of left template, right template, and whether they are the same (0 or 1).
        norm: ``keep``, ``unit`` or ``quality``: whether an image counts by its embedding's norm, as any other, or by
            its ``quality`` (N,).
        far_method: ``exact`` or ``nearest``: how TAR at a FAR is read.
        draws: bootstrap samples.
        seed: of the draws.

    Raises:
        EmbeddingError: a file or an array that cannot be used, a template without images, pairs of one kind only.
    """
    read = enrol(images, norm)
    vectors, missing = read.enrolled.vectors, read.enrolled.missing
    left, right, same = read_pairs(pairs, read.enrolled.ids)
    identity = None if read.identity is None else read.identity[left]
    outcome = verification(pair_scores(vectors, left, right, missing=missing), same, identity)
    keys = np.minimum(left, right) * len(vectors) + np.maximum(left, right)
    duplicates = read.duplicates | {"pairs": repeated(keys)}
    figures: dict[str, Any] = outcome.figures(FARS, far_method, draws, seed)
    figures |= {"n_template": len(vectors), "duplicates": duplicates}
    tables: list[Table] = []
    if norm == "quality" and draws:
        plain = enrol(images, "unit").enrolled
        plainly = verification(pair_scores(plain.vectors, left, right, missing=plain.missing), same, identity)
        figures["gain"] = pooling_gain.verified(outcome, plainly, FARS, seed, draws)
        tables = [gain_table({LABELS["tar"].format(far): of for far, of in figures["gain"].items()})]
    title = f"Templates, 1:1: {figures['n_genuine']:,} genuine and {figures['n_impostor']:,} impostor pairs"
    readings = definition(norm, read.compared) | {"tar": METHODS[far_method], **READINGS}
    readings |= {"gain": f"{pooling_gain.DEFINITION}; TAR at the exact threshold"} if tables else {}
    readings |= bootstrap(str(figures.get("interval_over")), draws, seed)
    said = metric_notes(read.compared) + missing_note(figures) + notes(duplicates)
    return Outcome(
        figures, readings, [figures_table(title, figures), *tables], lambda: curves.roc_and_det(outcome), said
    )
