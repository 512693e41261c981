"""SCface: LR faces from surveillance cameras at three distances, searched for among HR mugshots.

Grgic, Delac & Grgic, "SCface - surveillance cameras face database", Multimedia Tools and Applications 51, 2011. Papers
part its 130 identities in three ways; all are reported, each on its test part:

- ``all``: everybody.
- ``dcr``: identities 51 to 130.
- ``tc``: the last 43.

:mod:`lrfr.core.scface_partition` has the sources. Where the test set was imported in one of the two partitions, because
its other identities train, that one alone is reported.
"""

from typing import Any

import numpy as np

from lrfr.core.bootstrap import rounded_means
from lrfr.core.identification import ClosedSet
from lrfr.core.scface_partition import first_tested
from lrfr.errors import BenchmarkError
from lrfr.protocols.benchmark import Benchmark, names
from lrfr.protocols.embeddings import Embeddings
from lrfr.protocols.identification import identify
from lrfr.protocols.options import Options
from lrfr.protocols.outcome import Curve, Outcome

DISTANCES = {"distance_1": "4.2 m", "distance_2": "2.6 m", "distance_3": "1.0 m"}
LAST_RANK = 50  # of the stored CMC


def evaluate(benchmark: Benchmark, embeddings: Embeddings, options: Options, seed: int) -> Outcome:
    """Figures by split (``all``, ``dcr``, ``tc``): by distance, and ``mean_rank1``; the curve ``cmc`` of the first."""
    figures: dict[str, Any] = {}
    curves: dict[str, Curve] = {}
    for split, first in splits(benchmark).items():
        tested = benchmark.identity >= first
        found = {distance: _identify(benchmark, embeddings, options, distance, tested) for distance in DISTANCES}
        figures[split] = _figures(found, options.bootstrap, seed) | {"n_identity": _people(benchmark) - first}
        if not curves:
            ranks = np.arange(1, min(LAST_RANK, next(iter(found.values()))[0].gallery_size) + 1)
            cmc = {distance: outcome.cmc(ranks) for distance, (outcome, _) in found.items()}
            curves["cmc"] = Curve({"rank": ranks, **cmc})
    return Outcome(figures, curves, {"metric": options.metric, "ties": "pessimistic"})


def splits(benchmark: Benchmark) -> dict[str, int]:
    """The number of the first identity that each split tests, in the order of the sorted names."""
    imported = names(benchmark.attribute("partition")).to_pylist()
    if imported:  # whom the partition does not test is not there
        return dict.fromkeys(imported, 0)
    people = _people(benchmark)
    return {"all": 0, "dcr": first_tested("dcr", people), "tc": first_tested("tc", people)}


def _people(benchmark: Benchmark) -> int:
    return int(benchmark.identity.max(initial=-1)) + 1


def _identify(
    benchmark: Benchmark, embeddings: Embeddings, options: Options, distance: str, tested: np.ndarray
) -> tuple[ClosedSet, np.ndarray]:
    """The outcome at one distance, and the probes' identities."""
    probe, gallery = (rows[tested[rows]] for rows in (benchmark.rows("part", p) for p in (distance, "mugshot")))
    if not len(probe) or not len(gallery):
        raise BenchmarkError(f"SCface: a split has no {distance} or no mugshot to test", remedy="lrfr import-testset")
    return identify(benchmark, embeddings, probe, gallery, options.metric), benchmark.identity[probe]


def _figures(found: dict[str, tuple[ClosedSet, np.ndarray]], draws: int, seed: int) -> dict[str, Any]:
    """The figures of each distance, and the mean of the rank-1 rates with its interval."""
    figures: dict[str, Any] = {
        name: outcome.figures(identity, draws, seed) for name, (outcome, identity) in found.items()
    }
    # Each distance weighs the same, however many probes it has.
    total = sum(len(identity) for _, identity in found.values())
    hits = [(outcome.rank == 1) * total / (len(found) * len(identity)) for outcome, identity in found.values()]
    people = np.concatenate([identity for _, identity in found.values()])
    return figures | rounded_means({"mean_rank1": np.concatenate(hits)}, people, draws, seed)
