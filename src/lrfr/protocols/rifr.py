"""RIFR's P1 (LR-LR) and P2 (LR-HR): FaceScrub's people among MegaFace's distractors, at falling face widths.

Khalid et al., "Resolution Invariant Face Recognition Using a Distillation Approach", IEEE T-BIOM 2, 2020, section II-B:
probe and gallery down-sampled to w px (P1), or the probe alone (P2). One image of an identity joins the distractors as
the gallery, its other images are the probes, and so on for each image; rank-1 is averaged over the identities.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lrfr.core.bootstrap import rounded_means
from lrfr.core.curve_points import RATES, tar_at_rates
from lrfr.core.inputs import UNKNOWN
from lrfr.core.pair_verification import Verification, verification
from lrfr.core.ranking import best_scores
from lrfr.core.scoring import comparable, score_pairs
from lrfr.errors import BenchmarkError
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.embeddings import FULL, Embeddings
from lrfr.protocols.options import Options
from lrfr.protocols.outcome import Curve, Outcome
from lrfr.protocols.views import VERIFIED_WIDTH

FAR = (1e-4, 1e-3, 1e-2)  # 1e-4 is the paper's


@dataclass(frozen=True)
class IdentificationFaces:
    """People's images and the distractors, as they are compared at one width.

    Attributes:
        probe: (P, D) float64, comparable: people's images as probes.
        mate: (P, D): the same images as the gallery has them.
        distractor: (G, D).
        identity: (P,) int64.
        missing: (P,) bool: misses, as probe and as mate.
        distractor_missing: (G,) bool: in nobody's way.
    """

    probe: np.ndarray
    mate: np.ndarray
    distractor: np.ndarray
    identity: np.ndarray
    missing: np.ndarray
    distractor_missing: np.ndarray


def widths(options: Options) -> list[int]:
    """The widths, px, ascending."""
    return sorted({*options.widths, VERIFIED_WIDTH})


def evaluate(benchmark: Benchmark, embeddings: Embeddings, options: Options, seed: int) -> Outcome:
    """Figures under ``p1`` and ``p2``: ``rank1`` by width, and ``verification`` at 25 px; curves ``rank1``, ``roc``."""
    person = benchmark.identity != UNKNOWN
    if np.bincount(benchmark.identity[person]).max(initial=0) < 2 or person.all():
        what = "P1 and P2 need an identity with two faces or more, and distractors, which have none"
        raise BenchmarkError(what, remedy="lrfr import-testset")
    figures: dict[str, Any] = {name: {"rank1": {}, "rank1_interval": {}} for name in ("p1", "p2")}
    roc: dict[str, np.ndarray] = {}
    full = _comparable(embeddings, FULL, options.metric)
    for width in widths(options):
        probe = _comparable(embeddings, f"width_{width}", options.metric)
        for name, gallery in {"p1": probe, "p2": full}.items():
            faces = IdentificationFaces(
                probe[person], gallery[person], gallery[~person], benchmark.identity[person],
                embeddings.missing[person], embeddings.missing[~person],
            )  # fmt: skip
            rates = identified(faces, options.metric)
            rounded = rounded_means({"rank1": rates}, np.arange(len(rates)), options.bootstrap, seed)
            for figure, value in rounded.items():
                figures[name][figure][f"{width}"] = value
            if width == VERIFIED_WIDTH:
                verified = _verify(faces, options.metric, once=name == "p1")
                figures[name]["verification"] = verified.figures(FAR, options.tar, options.bootstrap, seed)
                roc[name] = tar_at_rates(verified)
    rank1 = {name: np.array(list(figures[name]["rank1"].values())) for name in ("p1", "p2")}
    figures |= {"n_probe": int(person.sum()), "n_distractor": int((~person).sum())}
    figures["n_missing"] = int(embeddings.missing.sum())
    curves = {"rank1": Curve({"width": np.array(widths(options)), **rank1}), "roc": Curve({"far": RATES, **roc})}
    return Outcome(figures, curves, _definitions(options))


def identified(faces: IdentificationFaces, metric: str) -> np.ndarray:
    """Each identity's rank-1 rate (I,), over all its ordered pairs of a probe and another image in the gallery."""
    best, rates = np.full(len(faces.probe), -np.inf), []
    shown = ~faces.missing
    best[shown] = best_scores(faces.probe[shown], faces.distractor[~faces.distractor_missing], metric)
    for number in np.unique(faces.identity):
        rows = np.flatnonzero(faces.identity == number)
        if len(rows) > 1:  # somebody with one image has no mate
            pair = rows[np.stack(np.nonzero(~np.eye(len(rows), dtype=bool)))]
            known = pair[:, shown[pair].all(axis=0)]
            hits = score_pairs(faces.probe, faces.mate, known, metric) > best[known[0]]  # a tie is a miss
            rates.append(hits.sum() / pair.shape[1])
    return np.array(rates)


def _verify(faces: IdentificationFaces, metric: str, once: bool) -> Verification:
    """Every pair of two people's images, ``once`` or both ways as probe and gallery, and of each with a distractor."""
    gallery = np.concatenate([faces.mate, faces.distractor])
    score = faces.probe @ gallery.T
    if metric == "euclidean":
        score = 2 * score - (faces.probe**2).sum(axis=1)[:, None] - (gallery**2).sum(axis=1)[None, :]
    np.round(score, 12, out=score)  # the product's last digits depend on the rows around a pair
    score[faces.missing[:, None] | np.r_[faces.missing, faces.distractor_missing][None, :]] = -np.inf
    pair = ~np.eye(*score.shape, dtype=bool)
    if once:
        pair[:, : len(score)] = np.triu(pair[:, : len(score)])
    same = faces.identity[:, None] == np.r_[faces.identity, np.full(len(faces.distractor), UNKNOWN)][None, :]
    return verification(score[pair], same[pair], np.repeat(faces.identity, pair.sum(axis=1)))


def _comparable(embeddings: Embeddings, view: str, metric: str) -> np.ndarray:
    """The embeddings (N, D) float64 as the metric compares them; those of missing faces stay zero."""
    vectors = embeddings.of(view).astype(np.float64)
    present = np.flatnonzero(~embeddings.missing)
    vectors[present] = comparable(vectors[present], metric, view, present)
    return vectors


def _definitions(options: Options) -> dict[str, str]:
    return {
        "metric": options.metric,
        "ties": "pessimistic",
        "tar": options.tar,
        "rank1": "the mean over identities of the mean over their ordered pairs of a probe and a gallery image",
        "p1": "probe, gallery and distractors at the width",
        "p2": "the probe at the width, the others as they are",
    }
