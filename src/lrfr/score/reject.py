"""``lrfr score reject``: the error-versus-reject curve (ERC): does quality tell which pairs cannot be matched?"""

from pathlib import Path
from typing import Any

import numpy as np

from lrfr.charts.curves import reject_chart
from lrfr.core.rejection import Rejection, reject
from lrfr.score import curves
from lrfr.score.arrays import read_arrays
from lrfr.score.outcome import HEADS, Outcome, Plot, Table, bootstrap, figures_table, number

ARRAYS = ("score", "same", "quality_left", "quality_right")
SHOWN = (0, 5, 10, 20, 50, 80, 95)  # per cent of pairs rejected, in the printed table
VARIANTS = {
    "fixed": "the threshold is set once, on all pairs",
    "reestimated": "the threshold is set anew on the pairs left at each step",
}


def score(scores: Path, fmr: float, variant: str, draws: int, seed: int) -> Outcome:
    """The pairs of the lowest quality are rejected step by step.

    Args:
        scores: ``score`` (N,), ``same`` (N,) bool, ``quality_left`` and ``quality_right`` (N,), the higher the better;
            and ``identity_left`` (N,), where known, for intervals over identities.
        fmr: the false match rate that sets the threshold.
        variant: ``fixed`` or ``reestimated``.
        draws: bootstrap samples.
        seed: of the draws.

    Raises:
        EmbeddingError: a file or an array that cannot be used, or pairs of one kind only.
    """
    pairs = read_arrays(scores, ARRAYS, ("identity_left",))
    given = [pairs[name] for name in ARRAYS]
    outcome = reject(*given, fmr=fmr, variant=variant, identity=pairs.get("identity_left"))
    figures: dict[str, Any] = outcome.figures(draws, seed)
    title = f"Rejection at FMR {fmr:g}: {figures['n_genuine']:,} genuine and {figures['n_impostor']:,} impostor pairs"
    steps = [(f"FNMR, {share} % rejected", number(figures["fnmr"][share], "none"), "") for share in SHOWN]
    table = Table(title, HEADS, [*steps, *figures_table(title, figures).rows])
    definition = {
        "quality": "of a pair: the lower of its two; equal qualities are rejected together",
        "threshold": f"the lowest whose FMR is not above {fmr:g}, an impostor at it is a match; {VARIANTS[variant]}",
        "pauc": "area under FNMR from 0 to 20 % and to 95 % rejected, by trapezoids, not divided by the width",
        **bootstrap(str(figures.get("interval_over")), draws, seed),
    }
    return Outcome(figures, definition, [table], lambda: _plots(outcome), figures["not_resolvable"])


def _plots(outcome: Rejection) -> list[Plot]:
    columns = {"ratio": np.asarray(outcome.ratio), "fnmr": outcome.fnmr}
    return curves.plot("erc", "Error versus reject", columns, reject_chart)
