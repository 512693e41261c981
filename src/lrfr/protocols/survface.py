"""QMUL-SurvFace: verification of pairs, and open-set identification.

Cheng, Zhu & Gong, "Surveillance Face Recognition Challenge", 2018: TPR at false-accept rates 0.3 to 0.001, and TPIR20
at false-positive identification rates 0.3 to 0.01.
"""

from lrfr.config import Evaluate
from lrfr.core.open_set_identification import OpenSet, open_set
from lrfr.core.pair_verification import Verification, verification
from lrfr.core.stepped import RATES, at_rates, tar_at_rates
from lrfr.core.templates_of_media import pair_scores
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.embeddings import Embeddings
from lrfr.protocols.outcome import Curve, Outcome

FAR = (0.3, 0.1, 0.01, 0.001)
FPIR = (0.3, 0.2, 0.1, 0.01)
RANK = 20
AVERAGES = {"unit": "each normalised first", "raw": "as they are"}


def renditions(options: Evaluate) -> tuple[str, ...]:
    """The images as they are suffice."""
    return ()


def evaluate(benchmark: Benchmark, embeddings: Embeddings, options: Evaluate, seed: int) -> Outcome:
    """Figures under ``verification`` and ``open_set``; curves ``roc`` and ``open_set``."""
    verified = _verify(benchmark, embeddings, options)
    searched = _search(benchmark, embeddings, options)
    draws = options.bootstrap
    figures = {
        "verification": verified.figures(FAR, options.tar, draws, seed),
        "open_set": searched.figures(FPIR, draws, seed),
    }
    definitions = {
        "metric": options.metric,
        "ties": "pessimistic",
        "tar": options.tar,
        "accuracy": "at the best threshold over all pairs",
        "tpir": f"the mate within rank {RANK} and at or above the threshold",
        "template": f"the mean of an identity's gallery embeddings, {AVERAGES[options.average]}",
    }
    tpir = at_rates(*searched.curve(), searched.n_unmated)
    roc, opened = Curve({"far": RATES, "tar": tar_at_rates(verified)}), Curve({"fpir": RATES, "tpir": tpir})
    return Outcome(figures, {"roc": roc, "open_set": opened}, definitions)


def _verify(benchmark: Benchmark, embeddings: Embeddings, options: Evaluate) -> Verification:
    left, right, same = benchmark.pair_rows(benchmark.faces["face_id"])
    score = pair_scores(embeddings.of(), left, right, options.metric, embeddings.missing)
    return verification(score, same, benchmark.drawn_by(left))


def _search(benchmark: Benchmark, embeddings: Embeddings, options: Evaluate) -> OpenSet:
    vectors, missing, identity = embeddings.of(), embeddings.missing, benchmark.identity
    gallery, mated, unmated = (benchmark.rows("part", part) for part in ("gallery", "mated_probe", "unmated_probe"))
    return open_set(
        vectors[gallery], identity[gallery], vectors[mated], identity[mated], vectors[unmated],
        options.metric, RANK, options.average,
        gallery_missing=missing[gallery], mated_missing=missing[mated], unmated_missing=missing[unmated],
    )  # fmt: skip
