"""IJB-C TinyFace: 1:1 between the tiny faces of IJB-C.

Fang et al., "Generate to Adapt: Resolution Adaption Network for Surveillance Face Recognition", ECCV 2020, section 4:
faces whose distance from the midpoint of the eyes to the centre of the mouth is more than 10 and less than 30 px. The
paper has 158,338 genuine pairs, and the covariate protocol's 39,584,639 impostor pairs. We pair the tiny faces among
themselves: all pairs of one identity, and as many pairs of two as the paper has, or all where there are fewer.
"""

import numpy as np
import pyarrow as pa

from lrfr.core.curve_points import RATES, tar_at_rates
from lrfr.core.inputs import UNKNOWN
from lrfr.core.pair_drawing import draw_pairs
from lrfr.core.pair_verification import verification
from lrfr.core.template_pooling import pair_scores
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.embeddings import Embeddings
from lrfr.protocols.options import Options
from lrfr.protocols.outcome import Curve, Outcome

FAR = (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
DISTANCE = (10.0, 30.0)  # px, both exclusive
IMPOSTORS = 39_584_639


def evaluate(benchmark: Benchmark, embeddings: Embeddings, options: Options, seed: int) -> Outcome:
    """Verification's figures and ``n_faces``; curve ``tiny_roc``. None of them where no two tiny faces make a pair."""
    tiny = np.flatnonzero(is_tiny(benchmark.faces["landmarks"]))
    tiny = tiny[benchmark.identity[tiny] != UNKNOWN]
    identity, face_id = benchmark.identity[tiny], np.array(benchmark.faces["face_id"].to_pylist())[tiny]
    pairs = draw_pairs(face_id, identity, len(tiny) ** 2, IMPOSTORS, seed)
    if not pairs.same.any() or pairs.same.all():
        return Outcome({"n_faces": len(tiny)}, {})
    score = pair_scores(embeddings.of()[tiny], pairs.left, pairs.right, options.metric, embeddings.missing[tiny])
    verified = verification(score, pairs.same, identity[pairs.left])
    figures = verified.figures(FAR, options.tar, options.bootstrap, seed) | {"n_faces": len(tiny)}
    return Outcome(figures, {"tiny_roc": Curve({"far": RATES, "tar": tar_at_rates(verified)})})


def is_tiny(landmarks: pa.ChunkedArray) -> np.ndarray:
    """(N,) bool: whether the eyes are more than 10 and less than 30 px from the mouth; faces without landmarks are not.

    Args:
        landmarks: (N,) lists of ten: x and y, px, of the eyes, the nose and the corners of the mouth; or null.
    """
    points = np.array([point or [np.nan] * 10 for point in landmarks.to_pylist()]).reshape(-1, 5, 2)
    distance = np.linalg.norm(points[:, :2].mean(axis=1) - points[:, 3:].mean(axis=1), axis=1)
    return (distance > DISTANCE[0]) & (distance < DISTANCE[1])
