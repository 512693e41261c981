"""T-C's resolution sweep on IJB: every image down-sampled to a shortest side of r px, then back to its size.

Massoli, Amato & Falchi, "Cross-resolution learning for face recognition", IVC 99, 2020, section 6: verification with
both sides at r, or one at r1 and the other at r2; identification with the probes at r and the gallery at full
resolution.
"""

from lrfr.core.curve_points import RATES, resolvable, tar_at_rates
from lrfr.core.gallery_search import RANKS, Found, Templates, search
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.embeddings import FULL, Embeddings
from lrfr.protocols.options import Options
from lrfr.protocols.outcome import Curve, Outcome
from lrfr.protocols.template_verification import TemplatePairs, template_pairs, verify
from lrfr.protocols.templates import enrol, searches
from lrfr.protocols.views import views

FAR = (1e-3, 1e-2, 1e-1)  # the first that the pairs resolve
NORM = "keep_norm"


def evaluate(benchmark: Benchmark, embeddings: Embeddings, options: Options, seed: int) -> Outcome:
    """The cross-resolution matrix of TAR, whose diagonal has both sides alike, and 1:N by the probes' resolution.

    Figures: ``sides`` (their order in the matrix), ``far``, ``tar`` (left side by right side), ``norm``, and
    ``identification`` by side. Curves ``resolution_roc`` (both sides alike), ``resolution_cmc`` and ``resolution_det``
    have a column for each side.
    """
    at = {
        name.removeprefix("side_"): enrol(
            benchmark, embeddings.of(name), embeddings.missing, NORM, options.detector_score
        )
        for name in (*views("ijb", options), FULL)
    }
    pairs = template_pairs(benchmark, at[FULL].ids)
    far, tar = _matrix(pairs, at, options)
    wanted = searches(benchmark, at[FULL].ids)
    found = {side: search(wanted, probes, at[FULL]) for side, probes in at.items()}
    figures = {
        "sides": list(at),
        "far": far,
        "tar": tar,
        "norm": NORM,
        "identification": {side: outcome.mean(options.bootstrap, seed) for side, outcome in found.items()},
    }
    return Outcome(figures, _curves(found) | {"resolution_roc": _roc(pairs, at)})


def _roc(pairs: TemplatePairs, at: dict[str, Templates]) -> Curve:
    """T-C's Fig. 3 and 6: both sides at the same resolution."""
    rates = {side: tar_at_rates(verify(pairs, templates, templates)) for side, templates in at.items()}
    return Curve({"far": RATES, **rates})


def _matrix(pairs: TemplatePairs, at: dict[str, Templates], options: Options) -> tuple[float | None, list | None]:
    """The FAR, and TAR by left and right side; nulls where the impostors resolve none of the FARs."""
    far = next((rate for rate in FAR if resolvable(rate, int((~pairs.same).sum()))), None)
    if far is None:
        return None, None
    return far, [
        [round(verify(pairs, left, right).operating_point(far, options.tar)[1], 6) for right in at.values()]
        for left in at.values()
    ]


def _curves(found: dict[str, Found]) -> dict[str, Curve]:
    cmc = {side: outcome.cmc() for side, outcome in found.items()}
    det = {side: outcome.fnir() for side, outcome in found.items()}
    return {
        "resolution_cmc": Curve({"rank": RANKS, **cmc}),
        "resolution_det": Curve({"fpir": RATES, **det}),
    }
