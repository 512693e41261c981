"""Qualities of several models, on the scores of one and each on those of its own (RI, Fig. 7).

Chai et al., "Recognizability Embedding Enhancement for Very Low-Resolution Face Recognition and Quality Estimation",
CVPR 2023, section 4.3, does not say whose scores its curves have. On one model's, the pairs that fail are the same and
the qualities alone differ; on its own, a quality is judged by the model that it belongs to. Pairs are those of
:mod:`lrfr.protocols.erc`. Beside the qualities stands rejecting ``at random``, which no quality may be worse than.
"""

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np

from lrfr.core.rejection import Rejection, interval_of
from lrfr.errors import EmbeddingError
from lrfr.protocols import erc
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.embeddings import Embeddings
from lrfr.protocols.options import ComparedQualities

RANDOM = "at random"
VARIANTS = ("fixed", erc.IMAGES)  # pairs rejected at the one threshold, or images
CURVE = ("ratio", "fnmr")

Curves = dict[tuple[str, str], Rejection]  # by variant and FMR


def evaluate(
    benchmark: Benchmark, embeddings: Mapping[str, Embeddings], chosen: ComparedQualities, draws: int, seed: int
) -> dict[str, Any]:
    """Figures and curves of every quality.

    Args:
        benchmark: whose probe and gallery faces are paired.
        embeddings: of these faces, by run.
        chosen: the run whose scores they are, and the qualities by run.
        draws: of the bootstrap, over identities.
        seed: of the pairs, the draws and the random order.

    Returns:
        ``scores``, the run; ``order``, the qualities as they were asked for; ``qualities`` by "RUN: QUALITY",
        each with ``on_scores`` and ``on_its_own`` (None where it is no model's), by variant and FMR the figures of
        :meth:`lrfr.core.rejection.Rejection.figures`; and ``<area>_difference`` with its interval: the area of this
        quality minus that of the first, on one model's scores, over the same draws.

    Raises:
        EmbeddingError: a run has not the quality that is asked for.
    """
    rows, pairs = erc.drawn(benchmark, seed)
    identity = benchmark.identity[rows][pairs.left]
    score = {run: erc.scores(found, rows, pairs, found.facts["metric"]) for run, found in embeddings.items()}

    def curves(of: str, quality: np.ndarray) -> Curves:
        """Rejecting by a quality (R,) on the scores of a run."""
        return {
            (variant, f"{fmr:g}"): erc.rejected(score[of], pairs, quality, fmr, variant, identity)
            for variant, fmr in product(VARIANTS, erc.FMR)
        }

    told: dict[str, Any] = {}
    first: Curves = {}
    for name, (run, quality) in _qualities(benchmark, embeddings, chosen, rows, seed).items():
        on_scores = curves(chosen.scores, quality)
        first = first or on_scores
        own = None if run is None else _figures(curves(run, quality), {}, draws, seed)
        told[name] = {"run": run, "on_scores": _figures(on_scores, first, draws, seed), "on_its_own": own}
    counts = {"n_genuine": int(pairs.same.sum()), "n_impostor": int((~pairs.same).sum()), "capped": pairs.capped}
    return {"scores": chosen.scores, "order": list(told), "qualities": told, **counts}


def _qualities(
    benchmark: Benchmark, embeddings: Mapping[str, Embeddings], chosen: ComparedQualities, rows: np.ndarray, seed: int
) -> dict[str, tuple[str | None, np.ndarray]]:
    """By name, whose it is and its values (R,)."""
    found: dict[str, tuple[str | None, np.ndarray]] = {}
    for run, names in chosen.qualities.items():
        known = erc.qualities(benchmark, embeddings[run], rows)
        for name in names:
            if name not in known:
                what = f"the run '{run}' has no quality '{name}'; it has {', '.join(known)}"
                where = f"params.yaml: evaluate.compared_qualities.qualities.{run}"
                raise EmbeddingError(what, where=where, remedy="ask for one of these")
            found[f"{run}: {name}"] = run, known[name]
    return found | {RANDOM: (None, np.random.default_rng(seed).permutation(len(rows)).astype(float))}


def _figures(curves: Curves, first: Curves, draws: int, seed: int) -> dict[str, Any]:
    """By variant and FMR; with the difference from the first quality's areas, where there is another first."""
    told: dict[str, Any] = {variant: {} for variant in VARIANTS}
    for (variant, fmr), curve in curves.items():
        figures = curve.figures(draws, seed)
        other = first.get((variant, fmr))
        if other is not None and other is not curve:
            figures |= _differences(curve, other, draws, seed)
        told[variant][fmr] = figures
    return told


def _differences(curve: Rejection, other: Rejection, draws: int, seed: int) -> dict[str, Any]:
    """The areas of one curve minus those of another of the same pairs, and their 95 % intervals."""
    mine, theirs = (of.figures(0) for of in (curve, other))
    both = zip(curve.samples(draws, seed).items(), other.samples(draws, seed).values(), strict=True)
    told: dict[str, Any] = {}
    for (area, one), two in both:
        known = mine[area] is not None and theirs[area] is not None
        told[f"{area}_difference"] = round(mine[area] - theirs[area], 6) if known else None  # pyrefly: ignore
        told[f"{area}_difference_interval"] = interval_of(one - two) if known else None
    return told
