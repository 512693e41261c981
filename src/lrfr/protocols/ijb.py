"""IJB-B and IJB-C: templates, 1:1 and 1:N, the resolution sweep, and RAN's test on tiny faces.

Whitelam et al., "IARPA Janus Benchmark-B", CVPRW 2017; Maze et al., "IARPA Janus Benchmark-C", ICB 2018. Each figure is
given twice, with the norms of the embeddings kept and dropped before templates are made; and with images weighted by
quality, of a model that predicts it, with what that brings over dropped norms (``gain``).
"""

from typing import Any

import numpy as np

from lrfr.core import pooling_gain
from lrfr.core.curve_points import RATES, tar_at_rates
from lrfr.core.gallery_search import FPIR, RANKS, Found, search
from lrfr.core.pair_verification import FARS, Verification
from lrfr.protocols import ijb_tinyface, resolution_sweep
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.embeddings import Embeddings
from lrfr.protocols.options import Options
from lrfr.protocols.outcome import Curve, Outcome
from lrfr.protocols.template_verification import template_pairs, verify
from lrfr.protocols.templates import NORMS, PLAIN, QUALITY, enrol, searches


def evaluate(benchmark: Benchmark, embeddings: Embeddings, options: Options, seed: int) -> Outcome:
    """Figures under ``keep_norm`` and ``unit_norm`` (in each ``verification`` and ``identification``),
    ``resolution`` (the sweep) and ``tinyface`` (null where the faces have no landmarks).
    """
    figures: dict[str, Any] = {}
    roc: dict[str, np.ndarray] = {}
    cmc: dict[str, np.ndarray] = {}
    det: dict[str, np.ndarray] = {}
    scored = {
        norm: _score(benchmark, embeddings, norm, options.detector_score)
        for norm in (NORMS if embeddings.quality is None else (*NORMS, QUALITY))
    }
    for norm, (verified, found) in scored.items():
        figures[norm] = _figures(verified, found, options, seed)
        roc[norm], cmc[norm], det[norm] = tar_at_rates(verified), found.cmc(), found.fnir()
    if QUALITY in scored:
        figures[QUALITY]["gain"] = _gain(*scored[QUALITY], *scored[PLAIN], seed)
    sweep = resolution_sweep.evaluate(benchmark, embeddings, options, seed)
    tiny = ijb_tinyface.evaluate(benchmark, embeddings, options, seed)
    figures |= {"resolution": sweep.figures, "tinyface": tiny.figures}
    curves = {
        "roc": Curve({"far": RATES, **roc}),
        "cmc": Curve({"rank": RANKS, **cmc}),
        "det": Curve({"fpir": RATES, **det}),
    }
    return Outcome(figures, curves | sweep.curves | tiny.curves, _definitions(options))


def _score(benchmark: Benchmark, embeddings: Embeddings, norm: str, detector_score: bool) -> tuple[Verification, Found]:
    enrolled = enrol(benchmark, embeddings.of(), embeddings.missing, norm, detector_score, embeddings.quality)
    verified = verify(template_pairs(benchmark, enrolled.ids), enrolled, enrolled)
    return verified, search(searches(benchmark, enrolled.ids), enrolled, enrolled)


def _figures(verified: Verification, found: Found, options: Options, seed: int) -> dict[str, Any]:
    return {
        "verification": verified.figures(FARS, options.tar, options.bootstrap, seed),
        "identification": found.figures(options.bootstrap, seed),
    }


def _gain(verified: Verification, found: Found, plain: Verification, plainly: Found, seed: int) -> dict[str, Any]:
    return {
        "verification": pooling_gain.verified(verified, plain, FARS, seed),
        "identification": pooling_gain.identified(found, plainly, FPIR, seed),
    }


def _definitions(options: Options) -> dict[str, str]:
    return {
        "metric": "cosine of templates",
        "ties": "pessimistic",
        "tar": options.tar,
        "template": "mean within a media id, sum over media, then of length 1"
        + (", an image's embedding times the detector's score" if options.detector_score else ""),
        QUALITY: "embeddings without their norm, weighted by the model's quality, 0.01 to 1 over the set's range",
        "gain": f"{pooling_gain.DEFINITION}; over {PLAIN}",
        "fnir": "the mate below the threshold, at whatever rank",
        "galleries": "each by itself, then the mean; both: one gallery out of all, closed set only",
    }
