"""TinyFace: closed-set identification, with and without the gallery's distractors.

Cheng, Zhu & Gong, "Low-Resolution Face Recognition", ACCV 2018, section 3. Super-resolution in front of a model as in
Table 10 of Massoli, Amato & Falchi, "Cross-resolution learning for face recognition", IVC 99, 2020.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from lrfr.core.identification import ClosedSet
from lrfr.protocols import erc
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.conditions import DEFINITION, changed
from lrfr.protocols.embeddings import Embeddings
from lrfr.protocols.identification import identify
from lrfr.protocols.options import Options
from lrfr.protocols.outcome import Curve, Outcome
from lrfr.protocols.views import conditions

LAST_RANK = 100  # of the stored CMC
COMPARED = ("rank1", "rank20", "rank50", "map")  # between a condition and the faces as they are: T-C's Table 10


def evaluate(benchmark: Benchmark, embeddings: Embeddings, options: Options, seed: int) -> Outcome:
    """Identification, and under ``rejection`` the error-versus-reject curves of :mod:`lrfr.protocols.erc`."""
    found = identification(benchmark, embeddings, options, seed)
    rejected = erc.evaluate(benchmark, embeddings, options, seed)
    rejection = {**rejected.figures, "definitions": rejected.definitions}
    return replace(found, figures=found.figures | {"rejection": rejection}, curves=found.curves | rejected.curves)


def identification(benchmark: Benchmark, embeddings: Embeddings, options: Options, seed: int) -> Outcome:
    """Every probe is searched for in the gallery with its distractors, and in its named part alone.

    Figures and curves under ``distractors`` and ``no_distractors``; ``per_probe`` is with distractors. Under
    ``conditions`` the same by condition, with ``rank1_difference``, ``rank20_difference``, ``rank50_difference`` and
    ``map_difference`` from the faces as they are; the CMC has a column ``with_distractors_<condition>`` for each.
    """
    probe = benchmark.splits("probe")
    identity = benchmark.identity[probe]
    plain = _search(benchmark, embeddings, probe, options.metric)
    curves = _curves(plain)
    figures: dict[str, Any] = {name: found.figures(identity, options.bootstrap, seed) for name, found in plain.items()}
    definitions = {"metric": options.metric, "ties": "pessimistic", "map": "exact", "map_official": "trapezoidal"}
    for condition in conditions("tinyface", options):
        found = _search(benchmark, embeddings.under(condition), probe, options.metric)
        figures.setdefault("conditions", {})[condition] = {
            name: outcome.figures(identity, options.bootstrap, seed) | _changes(outcome, plain[name], identity, seed)
            for name, outcome in found.items()
        } | {"n_unchanged": embeddings.unchanged(condition)}
        cmc = curves["cmc"].columns
        cmc[f"with_distractors_{condition}"] = found["distractors"].cmc(cmc["rank"])
        definitions["conditions"] = DEFINITION
    per_probe = {
        "face_id": np.array(benchmark.faces["face_id"].to_pylist())[probe],
        "identity": identity,
        "rank": plain["distractors"].rank,
        "average_precision": plain["distractors"].average_precision,
    }
    return Outcome(figures, curves, definitions, per_probe)


def _search(benchmark: Benchmark, embeddings: Embeddings, probe: np.ndarray, metric: str) -> dict[str, ClosedSet]:
    galleries = {"distractors": ("gallery", "distractor"), "no_distractors": ("gallery",)}
    return {
        name: identify(benchmark, embeddings, probe, benchmark.splits(*parts), metric)
        for name, parts in galleries.items()
    }


def _changes(under: ClosedSet, plain: ClosedSet, identity: np.ndarray, seed: int) -> dict[str, object]:
    """The differences by ``<figure>_difference``, null where a gallery of one identity leaves nothing to compare."""
    return {
        f"{name}_difference": changed(under.headlines[name], plain.headlines[name], identity, seed)
        if plain.others
        else None
        for name in COMPARED
    }


def _curves(outcomes: dict[str, ClosedSet]) -> dict[str, Curve]:
    full, named = outcomes["distractors"], outcomes["no_distractors"]
    ranks = np.arange(1, min(named.gallery_size, LAST_RANK) + 1)
    cmc = {"rank": ranks, "with_distractors": full.cmc(ranks), "without_distractors": named.cmc(ranks)}
    precision = {"with_distractors": full.precision.mean(axis=0), "without_distractors": named.precision.mean(axis=0)}
    return {"cmc": Curve(cmc), "pr": Curve({"recall": full.recall, **precision})}
