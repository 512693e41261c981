"""TinyFace: closed-set identification, with and without the gallery's distractors.

Cheng, Zhu & Gong, "Low-Resolution Face Recognition", ACCV 2018, section 3.
"""

import numpy as np

from lrfr.config import Evaluate
from lrfr.core.identification import ClosedSet
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.embeddings import Embeddings
from lrfr.protocols.identification import identify
from lrfr.protocols.outcome import Curve, Outcome

LAST_RANK = 100  # of the stored CMC


def renditions(options: Evaluate) -> tuple[str, ...]:
    """The images as they are suffice."""
    return ()


def evaluate(benchmark: Benchmark, embeddings: Embeddings, options: Evaluate, seed: int) -> Outcome:
    """Every probe is searched for in the gallery with its distractors, and in its named part alone.

    Figures and curves under ``distractors`` and ``no_distractors``; ``per_probe`` is with distractors.
    """
    probe = benchmark.splits("probe")
    galleries = {
        "distractors": benchmark.splits("gallery", "distractor"),
        "no_distractors": benchmark.splits("gallery"),
    }
    identity = benchmark.identity[probe]
    outcomes = {name: identify(benchmark, embeddings, probe, rows, options.metric) for name, rows in galleries.items()}
    figures = {name: found.figures(identity, options.bootstrap, seed) for name, found in outcomes.items()}
    definitions = {"metric": options.metric, "ties": "pessimistic", "map": "exact", "map_official": "trapezoidal"}
    per_probe = {
        "face_id": np.array(benchmark.faces["face_id"].to_pylist())[probe],
        "identity": identity,
        "rank": outcomes["distractors"].rank,
        "average_precision": outcomes["distractors"].average_precision,
    }
    return Outcome(figures, _curves(outcomes), definitions, per_probe)


def _curves(outcomes: dict[str, ClosedSet]) -> dict[str, Curve]:
    full, named = outcomes["distractors"], outcomes["no_distractors"]
    ranks = np.arange(1, min(named.gallery_size, LAST_RANK) + 1)
    cmc = {"rank": ranks, "with_distractors": full.cmc(ranks), "without_distractors": named.cmc(ranks)}
    precision = {"with_distractors": full.precision.mean(axis=0), "without_distractors": named.precision.mean(axis=0)}
    return {"cmc": Curve(cmc), "pr": Curve({"recall": full.recall, **precision})}
