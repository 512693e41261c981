"""LFW, CALFW, CPLFW, AgeDB-30 and CFP-FP: ten-fold verification.

Huang et al., "Labeled Faces in the Wild", 2007, view 2: the threshold of a fold is the best of the nine others. The
embedding of an image is the sum of its own and its mirror image's, as ArcFace's evaluation has it.
"""

from lrfr.core.curve_points import RATES, tar_at_rates
from lrfr.core.pair_verification import verification
from lrfr.core.template_pooling import pair_scores
from lrfr.core.tenfold import folds
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.embeddings import Embeddings
from lrfr.protocols.options import Options
from lrfr.protocols.outcome import Curve, Outcome

MIRROR = "mirror"


def evaluate(benchmark: Benchmark, embeddings: Embeddings, options: Options, seed: int) -> Outcome:
    """The folds' figures; curve ``roc`` over all pairs."""
    left, right, same = benchmark.pair_rows(benchmark.faces["face_id"])
    vectors, missing = embeddings.of() + embeddings.of(MIRROR), embeddings.missing
    fold = benchmark.pairs["fold"]
    outcome = folds(
        vectors[left], vectors[right], same, None if fold.null_count else fold.to_numpy(),
        metric=options.metric, thresholds=options.thresholds,
        left_missing=missing[left], right_missing=missing[right],
    )  # fmt: skip
    identity = benchmark.drawn_by(left)
    verified = verification(pair_scores(vectors, left, right, options.metric, missing), same)
    definitions = {
        "metric": options.metric,
        "embedding": "the image's and its mirror image's, summed",
        "folds": "in order" if fold.null_count else "as published",
        "thresholds": f"{options.thresholds}, the best of the other folds",
    }
    figures = outcome.figures(identity, options.bootstrap, seed)
    return Outcome(figures, {"roc": Curve({"far": RATES, "tar": tar_at_rates(verified)})}, definitions)
