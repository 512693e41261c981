"""Error-versus-reject curves: does a method know which of its images it cannot recognise?

Grother & Tabassi, "Performance of biometric quality measures", TPAMI 29, 2007. 20,888 genuine and 50,000 impostor pairs
out of TinyFace's probe and gallery; the pairs of the lowest quality are rejected step by step, and the false non-match
rate is that of the rest, at the threshold of a fixed false match rate. Under the name ``images`` it is the images of
the lowest quality that are rejected, with all the pairs that they are in (Boutros et al., CR-FIQA, CVPR 2023).

Every quality is compared on its own model's scores; :mod:`lrfr.protocols.compared_qualities` has those of several
models on one's. Each is in a file of :mod:`lrfr.core.qualities`, with its paper.
"""

from itertools import product
from typing import Any

import numpy as np

from lrfr.core.inputs import UNKNOWN
from lrfr.core.pair_drawing import DrawnPairs, draw_pairs
from lrfr.core.qualities import detector, ers, norm, size
from lrfr.core.rejection import RATIO, VARIANTS, Rejection, reject
from lrfr.core.template_pooling import pair_scores
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.embeddings import Embeddings
from lrfr.protocols.options import Options
from lrfr.protocols.outcome import Curve, Outcome

GENUINE, IMPOSTOR = 20_888, 50_000
FMR = (1e-3, 1e-4)
IMAGES = "images"  # the threshold is fixed, as in CR-FIQA's figures
IN_THE_CURVE = ("ratio", "fnmr", "rejected")  # and so not among the figures


def evaluate(benchmark: Benchmark, embeddings: Embeddings, options: Options, seed: int) -> Outcome:
    """Figures under ``qualities`` by quality, variant and FMR; ``capped`` says which pairs there are too few of.

    The curve ``erc`` has the share of rejected pairs and a column ``<quality> <variant> <fmr>`` for each of them.
    """
    rows, pairs = drawn(benchmark, seed)
    score = scores(embeddings, rows, pairs, options.metric)
    identity = benchmark.identity[rows][pairs.left]
    columns: dict[str, np.ndarray] = {"ratio": RATIO}
    figures: dict[str, Any] = {}
    for name, quality in qualities(benchmark, embeddings, rows).items():
        figures[name] = {variant: {} for variant in (*VARIANTS, IMAGES)}
        for variant, fmr in product((*VARIANTS, IMAGES), FMR):
            found = rejected(score, pairs, quality, fmr, variant, identity)
            columns[f"{name} {variant} {fmr:g}"] = found.fnmr
            told = found.figures(options.bootstrap, seed)
            figures[name][variant][f"{fmr:g}"] = {key: told[key] for key in told if key not in IN_THE_CURVE}
    counts = {"n_genuine": int(pairs.same.sum()), "n_impostor": int((~pairs.same).sum()), "capped": pairs.capped}
    figures = {"qualities": figures, **counts, "n_missing": int(embeddings.missing[rows].sum())}
    return Outcome(figures, {"erc": Curve(columns)}, _definitions(options))


def drawn(benchmark: Benchmark, seed: int) -> tuple[np.ndarray, DrawnPairs]:
    """The rows (R,) of the known probe and gallery faces, and the pairs drawn among them; the same for every model."""
    rows = benchmark.splits("probe", "gallery")
    rows = rows[benchmark.identity[rows] != UNKNOWN]
    face_id = np.array(benchmark.faces["face_id"].to_pylist())[rows]
    return rows, draw_pairs(face_id, benchmark.identity[rows], GENUINE, IMPOSTOR, seed)


def scores(embeddings: Embeddings, rows: np.ndarray, pairs: DrawnPairs, metric: str) -> np.ndarray:
    """One model's scores (M,) of the drawn pairs."""
    return pair_scores(embeddings.of()[rows], pairs.left, pairs.right, metric, embeddings.missing[rows])


def rejected(
    score: np.ndarray, pairs: DrawnPairs, quality: np.ndarray, fmr: float, variant: str, identity: np.ndarray
) -> Rejection:
    """The curve of one quality (R,) on the scores (M,) of the drawn pairs, by ``fixed``, ``reestimated`` or ``images``;
    ``identity`` (M,) is that of their left sides."""
    threshold, images = ("fixed", quality) if variant == IMAGES else (variant, None)
    return reject(score, pairs.same, quality[pairs.left], quality[pairs.right], fmr, threshold, identity, images)


def qualities(benchmark: Benchmark, embeddings: Embeddings, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Each known quality of the faces in these rows, (R,) float, the higher the better.

    ``norm`` of the embedding before it is normalised, ``size`` (the shorter side, px), the ``detector``'s confidence
    where every face has one, ``ers`` and ``serfiq`` where the embed stage could compute them, and the method's own
    ``quality`` where it gives one. A missing face has the lowest of all.
    """
    faces = benchmark.faces.select(["width", "height", "score"]).take(rows)
    vectors, center = embeddings.of()[rows], embeddings.stored.get("ui_center")
    robust = embeddings.stored.get("quality_serfiq")
    found = {
        "norm": norm.quality(vectors),
        "size": size.quality(faces["width"].to_numpy(), faces["height"].to_numpy()),
        "detector": detector.quality(faces["score"].to_numpy().astype(float)),
        "ers": None if center is None else ers.quality(vectors, center),
        "serfiq": None if robust is None else robust[embeddings.row[rows]],
        "quality": None if embeddings.quality is None else embeddings.quality[rows],
    }
    missing = embeddings.missing[rows]
    return {
        name: np.where(missing, -np.inf, values).astype(float) for name, values in found.items() if values is not None
    }


def _definitions(options: Options) -> dict[str, str]:
    return {
        "metric": options.metric,
        "pair quality": "the lower of its two",
        "fixed": "the threshold is set once, on all pairs",
        "reestimated": "the threshold is set anew on the pairs left at each step",
        IMAGES: "images are rejected, with all their pairs; the threshold is set once",
    }
