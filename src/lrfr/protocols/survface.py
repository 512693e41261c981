"""QMUL-SurvFace: verification of pairs, and open-set identification.

Cheng, Zhu & Gong, "Surveillance Face Recognition Challenge", 2018: TPR at false-accept rates 0.3 to 0.001, and TPIR20
at false-positive identification rates 0.3 to 0.01. Super-resolution in front of a model as in Table 12 and Fig. 10 of
Massoli, Amato & Falchi (T-C), "Cross-resolution learning for face recognition", IVC 99, 2020.

The area under TPIR20 against FPIR is that of Table 4 of Fang et al. (RAN), ECCV 2020. T-C's Table 13 has another one:
7.9 % for the DeepID2 that has 20.8 % there, both after Cheng et al. T-C does not say within which rank a mate counts;
``open_set_ranks`` gives the figures of smaller ones by their names.
"""

from typing import Any

import numpy as np

from lrfr.core import pooling_gain
from lrfr.core.curve_points import RATES, at_rates, tar_at_rates
from lrfr.core.open_set_identification import OpenSet, open_set
from lrfr.core.pair_verification import Verification, verification
from lrfr.core.qualities.weights import weights
from lrfr.core.template_pooling import pair_scores
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.conditions import DEFINITION, changed
from lrfr.protocols.embeddings import Embeddings
from lrfr.protocols.options import Options
from lrfr.protocols.outcome import Curve, Outcome
from lrfr.protocols.views import conditions

FAR = (0.3, 0.1, 0.01, 0.001)
FPIR = (0.3, 0.2, 0.1, 0.01)
RANK = 20
QUALITY = "quality"  # the name of what is weighted by it
AVERAGES = {"unit": "each normalised first", "raw": "as they are"}


def evaluate(benchmark: Benchmark, embeddings: Embeddings, options: Options, seed: int) -> Outcome:
    """Figures under ``verification``, ``open_set`` and, for each other rank, ``open_set_rank<k>``; curves ``roc`` and
    ``open_set``, which has a column ``tpir_rank<k>`` for these.

    Under ``conditions`` the same by condition, with ``accuracy_difference`` in the verification: from the faces as they
    are, each at its own best threshold. The curve ``open_set`` has a column ``tpir_<condition>`` for each.
    """
    verified, searched = _verify(benchmark, embeddings, options), _search(benchmark, embeddings, options)
    figures: dict[str, Any] = _figures(verified, searched, options, seed)
    opened = {"fpir": RATES, "tpir": at_rates(*searched.curve(), searched.n_unmated)}
    for rank in _other_ranks(options):
        opened[f"tpir_rank{rank}"] = at_rates(*searched.within(rank).curve(), searched.n_unmated)
    definitions = {
        "metric": options.metric,
        "ties": "pessimistic",
        "tar": options.tar,
        "accuracy": "at the best threshold over all pairs",
        "tpir": f"the mate within rank {RANK} and at or above the threshold; 'rank<k>' within that rank",
        "auc": "the area under TPIR against FPIR from 0 to 1, nothing interpolated",
        "template": f"the mean of an identity's gallery embeddings, {AVERAGES[options.average]}",
    }
    left, _, _ = benchmark.pair_rows(benchmark.faces["face_id"])
    known = benchmark.drawn_by(left)
    for condition in conditions("survface", options):
        under = embeddings.under(condition)
        again, found = _verify(benchmark, under, options), _search(benchmark, under, options)
        told = _figures(again, found, options, seed)
        # Where nobody says who the faces show, as QMUL-SurvFace does not, the pairs of one left face go together
        difference = changed(again.right, verified.right, left if known is None else known, seed)
        told["verification"]["accuracy_difference"] = difference
        figures.setdefault("conditions", {})[condition] = told | {"n_unchanged": embeddings.unchanged(condition)}
        opened[f"tpir_{condition}"] = at_rates(*found.curve(), found.n_unmated)
        definitions["conditions"] = DEFINITION if known is not None else f"{DEFINITION}, the left faces for identities"
    if embeddings.quality is not None and options.metric == "cosine":
        weighted = _search(benchmark, embeddings, options, by_quality=True)
        plain = (
            searched
            if options.average == "unit"
            else _search(benchmark, embeddings, options.model_copy(update={"average": "unit"}))
        )
        gain = pooling_gain.searched(weighted, plain, FPIR, seed)
        figures[f"open_set_{QUALITY}"] = weighted.figures(FPIR, options.bootstrap, seed) | {"gain": gain}
        opened[f"tpir_{QUALITY}"] = at_rates(*weighted.curve(), weighted.n_unmated)
        definitions[QUALITY] = "gallery embeddings, each normalised first, averaged by the model's quality"
        definitions["gain"] = pooling_gain.DEFINITION
    roc = Curve({"far": RATES, "tar": tar_at_rates(verified)})
    return Outcome(figures, {"roc": roc, "open_set": Curve(opened)}, definitions)


def _figures(verified: Verification, searched: OpenSet, options: Options, seed: int) -> dict[str, Any]:
    draws = options.bootstrap
    return {
        "verification": verified.figures(FAR, options.tar, draws, seed),
        "open_set": searched.figures(FPIR, draws, seed),
        **{f"open_set_rank{k}": searched.within(k).figures(FPIR, draws, seed) for k in _other_ranks(options)},
    }


def _other_ranks(options: Options) -> list[int]:
    return sorted(set(options.open_set_ranks) - {RANK})


def _verify(benchmark: Benchmark, embeddings: Embeddings, options: Options) -> Verification:
    left, right, same = benchmark.pair_rows(benchmark.faces["face_id"])
    score = pair_scores(embeddings.of(), left, right, options.metric, embeddings.missing)
    return verification(score, same, benchmark.drawn_by(left))


def _search(benchmark: Benchmark, embeddings: Embeddings, options: Options, by_quality: bool = False) -> OpenSet:
    vectors, missing, identity = embeddings.of(), embeddings.missing, benchmark.identity
    average = options.average
    if by_quality and embeddings.quality is not None:
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
        vectors, average = unit * weights(np.where(missing, -np.inf, embeddings.quality))[:, None], "raw"
    gallery, mated, unmated = (benchmark.rows("part", part) for part in ("gallery", "mated_probe", "unmated_probe"))
    return open_set(
        vectors[gallery], identity[gallery], vectors[mated], identity[mated], vectors[unmated],
        options.metric, RANK, average,
        gallery_missing=missing[gallery], mated_missing=missing[mated], unmated_missing=missing[unmated],
        called=benchmark.called,
    )  # fmt: skip
