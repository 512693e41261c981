"""Does rejecting by one quality bring more than by another? Curves of several models, over seeds, for `claims.py`.

Every model leaves the scores of the benchmark's drawn pairs and its qualities, so that any quality can be tried on any
model's scores. Areas under the error-versus-reject curve are compared by a bootstrap over identities: all seeds have
the same faces and share their draws; a draw is the mean over seeds of the differences. p is twice the share of the
draws on the other side of 0, and at least one over their number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lrfr import paths
from lrfr.core.qualities import ers
from lrfr.core.rejection import AREAS, Rejection, interval_of
from lrfr.faces import read_faces, with_rows
from lrfr.images import Images
from lrfr.nn.embedding import embed_faces, faces_of
from lrfr.nn.model_file import Model
from lrfr.protocols import erc, recognizability
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.embeddings import Embeddings

DRAWS, SEED = 2000, 0
RANDOM = "at random"
VARIANTS = {"fixed": "pairs", erc.IMAGES: "images"}
PAIRS = ("left", "right", "same", "identity")


@dataclass(frozen=True)
class Rejects:
    """A claim: on the scores of ``on``, rejecting by ``first`` is better than by ``second``, each (run, quality)."""

    on: str
    first: tuple[str, str]
    second: tuple[str, str]


def measured(model: Model) -> dict[str, np.ndarray]:
    """What one model leaves: ``pair score`` (M,), ``quality NAME`` (R,), the pairs, and ``spearman`` of its own
    quality, if it has one, with the faces' size."""
    faces = with_rows(read_faces(paths.BENCHMARK))
    benchmark = Benchmark(faces.filter([split in ("probe", "gallery") for split in faces["split"].to_pylist()]))
    images = Images(paths.BENCHMARK, benchmark.faces["row"].to_numpy())
    arrays = embed_faces(model, faces_of(benchmark.faces, images, False), ())
    everybody = np.arange(len(benchmark.faces))
    facts = model.facts.model_dump()
    stored = arrays | _center(model)
    embeddings = Embeddings(stored, everybody, arrays["missing"], facts, arrays.get("quality"))
    rows, pairs = erc.drawn(benchmark, SEED)
    values = {f"quality {name}": of for name, of in erc.qualities(benchmark, embeddings, rows).items()}
    values["pair score"] = erc.scores(embeddings, rows, pairs, facts["metric"])
    values |= {f"pair {name}": getattr(pairs, name) for name in PAIRS[:3]}
    values["pair identity"] = benchmark.identity[rows][pairs.left]
    if embeddings.quality is not None:
        figures, _ = recognizability.evaluate(benchmark, embeddings, {})
        values["spearman"] = np.array(np.nan if figures["spearman_size"] is None else figures["spearman_size"])
    return values


def _center(model: Model) -> dict[str, np.ndarray]:
    """The centre of the unrecognizable faces, for ERS; nothing where there are none."""
    faces = with_rows(read_faces(paths.UNRECOGNIZABLE))
    if not len(faces):
        return {}
    images = Images(paths.UNRECOGNIZABLE, faces["row"].to_numpy())
    found = embed_faces(model, faces_of(faces, images, False), ())
    return {"ui_center": ers.center(found["embedding"][~found["missing"]])}


def table(claims: Sequence[Rejects], by_seed: Sequence[Mapping[str, Mapping[str, np.ndarray]]]) -> None:
    """Prints a row for each claim, FMR and way of rejecting: the areas, times 100, up to each share, and the test.

    Args:
        claims: what is claimed.
        by_seed: for each seed, what every model left (:func:`measured`), by run.
    """
    print("| on the scores of | rejecting by | rather than | FMR | of | to | first | second | less (95 %) | p |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for claim in claims:
        for fmr in erc.FMR:
            for variant, rejected in VARIANTS.items():
                both = [[_curve(claim.on, side, fmr, variant, found) for found in by_seed]
                        for side in (claim.first, claim.second)]  # fmt: skip
                for area, limit in AREAS.items():
                    cells = (claim.on, _named(claim.first), _named(claim.second), f"{fmr:g}", rejected, f"{limit:.0%}")
                    print(f"| {' | '.join((*cells, *_tested(*both, area, limit)))} |")


def spearman_table(runs: Sequence[str], by_seed: Sequence[Mapping[str, Mapping[str, np.ndarray]]]) -> None:
    """Prints Spearman's rho of each model's own quality and the size of the face, by seed."""
    print("\n| run | Spearman's rho of quality and size, mean | by seed |\n|---|---|---|")
    for run in runs:
        rho = [float(found[run]["spearman"]) for found in by_seed if "spearman" in found[run]]
        if rho:
            print(f"| {run} | {np.mean(rho):+.2f} | {', '.join(f'{value:+.2f}' for value in rho)} |")


def _curve(
    on: str, quality: tuple[str, str], fmr: float, variant: str, found: Mapping[str, Mapping[str, np.ndarray]]
) -> Rejection:
    scored = found[on]
    pairs = erc.DrawnPairs(*(scored[f"pair {name}"] for name in PAIRS[:3]), [])
    run, name = quality
    values = _random(pairs) if name == RANDOM else found[run][f"quality {name}"]
    return erc.rejected(scored["pair score"], pairs, values, fmr, variant, scored["pair identity"])


def _random(pairs: erc.DrawnPairs) -> np.ndarray:
    """A random order of the faces."""
    count = int(max(pairs.left.max(), pairs.right.max())) + 1
    return np.random.default_rng(SEED).permutation(count).astype(float)


def _named(quality: tuple[str, str]) -> str:
    run, name = quality
    return name if name in (RANDOM, "size") else f"{run}'s {name}"


def _tested(first: Sequence[Rejection], second: Sequence[Rejection], area: str, limit: float) -> tuple[str, ...]:
    """Both means over seeds, how much less the first is, its interval, and p."""
    means = [100 * float(np.mean([curve.area(limit) for curve in side])) for side in (first, second)]
    if np.isnan(means).any():
        return "not resolved", "", "", ""
    drawn = [100 * np.mean([curve.samples(DRAWS, SEED)[area] for curve in side], axis=0) for side in (first, second)]
    less = drawn[1] - drawn[0]
    ends = interval_of(less)
    other_side = float(min((less <= 0).mean(), (less >= 0).mean()))
    between = f" ({ends[0]:+.2f} to {ends[1]:+.2f})" if ends else ""
    p = max(min(2 * other_side, 1.0), 1 / DRAWS)
    return f"{means[0]:.2f}", f"{means[1]:.2f}", f"{means[1] - means[0]:+.2f}{between}", f"{p:.4f}"
