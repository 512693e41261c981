"""What weighting images by their quality brings: templates so made against plainly made ones, on the same probes.

Both are made of embeddings without their norm, so that the weights alone differ. The test is that of every comparison
here (:func:`lrfr.core.significance.better`): differences with 95 % bootstrap intervals over identities, and p-values by
sign flips. Each side has the threshold of its own impostors, or unmated probes, which is not drawn anew.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from lrfr.core.gallery_search import Found
from lrfr.core.open_set_identification import OpenSet
from lrfr.core.pair_verification import Verification
from lrfr.core.scored_pairs import count_within
from lrfr.core.significance import better

Gain = dict[str, object]
"""``difference``, ``difference_interval`` and ``p_value``; positive where weighting by quality is better."""

DRAWS = 10_000
DEFINITION = (
    "what weighting by quality brings over embeddings that are all alike: differences with 95 % bootstrap intervals "
    "over identities and p-values of a sign-flip permutation test; thresholds are each side's own"
)


def verified(
    weighted: Verification, plain: Verification, fars: Iterable[float], seed: int, draws: int = DRAWS
) -> dict[str, Gain | None]:
    """The gain in TAR by FAR, on the same genuine pairs; None where the FAR is not resolved."""
    same = plain.same
    identity = np.arange(int(same.sum())) if plain.identity is None else plain.identity[same]

    def accepted(found: Verification, far: float) -> np.ndarray:
        return (found.score[same] >= found.operating_point(far)[0]).astype(float)

    return {
        f"{far:g}": better(accepted(weighted, far), accepted(plain, far), identity, draws, seed).figures()
        if count_within(far, len(plain.impostor))
        else None
        for far in fars
    }


def searched(
    weighted: OpenSet, plain: OpenSet, fpirs: Iterable[float], seed: int, draws: int = DRAWS
) -> dict[str, Gain | None]:
    """The gain in TPIR by FPIR, on the same mated probes; None where the FPIR is not resolved."""
    identity = plain.mated_identity
    return {
        f"{fpir:g}": better(_found(weighted, fpir), _found(plain, fpir), identity, draws, seed).figures()
        if count_within(fpir, plain.n_unmated)
        else None
        for fpir in fpirs
    }


def identified(weighted: Found, plain: Found, fpirs: Iterable[float], seed: int, draws: int = DRAWS) -> dict[str, Any]:
    """The gain in ``rank1``, None where a gallery shows one person, and in ``tpir`` by FPIR, None where a gallery does
    not resolve it: means of the galleries."""
    told = all(outcome.others for outcome, _ in plain.closed.values())
    ranked = better(weighted.hits(1), plain.hits(1), plain.identity, draws, seed).figures() if told else None
    opened = [(weighted.opened[name], one) for name, one in plain.opened.items()]
    whole = len(opened) == plain.n_galleries
    return {
        "rank1": ranked,
        "tpir": {f"{fpir:g}": _mean(opened, fpir, draws, seed) if whole else None for fpir in fpirs},
    }


def _mean(opened: list[tuple[OpenSet, OpenSet]], fpir: float, draws: int, seed: int) -> Gain | None:
    """The gain in TPIR, the mean of the galleries."""
    if not all(count_within(fpir, plain.n_unmated) for _, plain in opened):
        return None
    identity = np.concatenate([plain.mated_identity for _, plain in opened])
    # A probe weighs by its gallery's share, so that the mean over probes is the mean over galleries
    share = np.concatenate(
        [
            np.full(len(plain.mated_identity), len(identity) / len(opened) / len(plain.mated_identity))
            for _, plain in opened
        ]
    )
    one, other = (np.concatenate([_found(pair[side], fpir) for pair in opened]) * share for side in (0, 1))
    return better(one, other, identity, draws, seed).figures()


def _found(outcome: OpenSet, fpir: float) -> np.ndarray:
    """(M,) 0 or 1: whether each mated probe is found at an FPIR."""
    return (outcome.false_alarms <= count_within(fpir, outcome.n_unmated)).astype(float)
