"""IJB-B and IJB-C: templates, 1:1 and 1:N, the resolution sweep, and RAN's test on tiny faces.

Whitelam et al., "IARPA Janus Benchmark-B", CVPRW 2017; Maze et al., "IARPA Janus Benchmark-C", ICB 2018. Each figure is
given twice, with the norms of the embeddings kept and dropped before templates are made.
"""

from typing import Any

import numpy as np

from lrfr.config import Evaluate
from lrfr.core.curve_points import RATES, tar_at_rates
from lrfr.core.gallery_search import RANKS, Found, search
from lrfr.core.pair_verification import FARS, Verification
from lrfr.protocols import ijb_tinyface, resolution_sweep
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.conditions import DEFINITION, aligned, changed
from lrfr.protocols.embeddings import Embeddings
from lrfr.protocols.outcome import Curve, Outcome
from lrfr.protocols.template_verification import template_pairs, verify
from lrfr.protocols.templates import NORMS, enrol, searches


def views(options: Evaluate) -> tuple[str, ...]:
    """Each shortest side of the resolution sweep."""
    return resolution_sweep.views(options)


def conditions(options: Evaluate) -> tuple[str, ...]:
    """Aligned."""
    return aligned(options)


def evaluate(benchmark: Benchmark, embeddings: Embeddings, options: Evaluate, seed: int) -> Outcome:
    """Figures under ``keep_norm`` and ``unit_norm`` (in each ``verification`` and ``identification``),
    ``resolution`` (the sweep) and ``tinyface`` (null where the faces have no landmarks).

    Under ``conditions`` the two norms by condition, each with ``rank1_difference`` from the faces as they are: of the
    galleries' mean.
    """
    figures: dict[str, Any] = {}
    roc: dict[str, np.ndarray] = {}
    cmc: dict[str, np.ndarray] = {}
    det: dict[str, np.ndarray] = {}
    under: dict[str, dict[str, Any]] = {
        condition: {"n_unchanged": embeddings.unchanged(condition)} for condition in conditions(options)
    }
    for norm in NORMS:
        verified, found = _score(benchmark, embeddings, norm)
        figures[norm] = _figures(verified, found, options, seed)
        roc[norm], cmc[norm], det[norm] = tar_at_rates(verified), found.cmc(), found.fnir()
        for condition, by_norm in under.items():
            again, other = _score(benchmark, embeddings.under(condition), norm)
            difference = _rank1_difference(other, found, seed)
            by_norm[norm] = _figures(again, other, options, seed) | {"rank1_difference": difference}
    sweep = resolution_sweep.evaluate(benchmark, embeddings, options, seed)
    tiny = ijb_tinyface.evaluate(benchmark, embeddings, options, seed)
    figures |= {"resolution": sweep.figures, "tinyface": tiny.figures}
    if under:
        figures["conditions"] = under
    curves = {
        "roc": Curve({"far": RATES, **roc}),
        "cmc": Curve({"rank": RANKS, **cmc}),
        "det": Curve({"fpir": RATES, **det}),
    }
    definitions = _definitions(options) | ({"conditions": DEFINITION} if under else {})
    return Outcome(figures, curves | sweep.curves | tiny.curves, definitions)


def _score(benchmark: Benchmark, embeddings: Embeddings, norm: str) -> tuple[Verification, Found]:
    enrolled = enrol(benchmark, embeddings.of(), embeddings.missing, norm)
    verified = verify(template_pairs(benchmark, enrolled.ids), enrolled, enrolled)
    return verified, search(searches(benchmark, enrolled.ids), enrolled, enrolled)


def _figures(verified: Verification, found: Found, options: Evaluate, seed: int) -> dict[str, Any]:
    return {
        "verification": verified.figures(FARS, options.tar, options.bootstrap, seed),
        "identification": found.figures(options.bootstrap, seed),
    }


def _rank1_difference(under: Found, plain: Found, seed: int) -> dict[str, object] | None:
    """None where a gallery of one identity leaves nothing to compare."""
    if plain.mean(0, seed)["closed"]["rank1"] is None:
        return None
    return changed(under.hits(1), plain.hits(1), plain.identity, seed)


def _definitions(options: Evaluate) -> dict[str, str]:
    return {
        "metric": "cosine of templates",
        "ties": "pessimistic",
        "tar": options.tar,
        "template": "mean within a media id, sum over media, then of length 1",
        "fnir": "the mate below the threshold, at whatever rank",
        "galleries": "each by itself, then the mean; both: one gallery out of all, closed set only",
    }
