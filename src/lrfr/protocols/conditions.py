"""The same test faces in another presentation: aligned by their landmarks, or after a super-resolution network.

A condition is embedded beside the faces as they are and scored in the same way; what it changes is tested on the same
probes or pairs, with identities as the units (:func:`lrfr.core.significance.better`).
"""

import numpy as np

from lrfr.config import Evaluate
from lrfr.core.significance import better

ALIGNED = "aligned"
DEFINITION = (
    "differences are the condition minus the faces as they are, with 95 % bootstrap intervals over identities and the "
    "p-value of a sign-flip permutation test"
)


def aligned(options: Evaluate) -> tuple[str, ...]:
    """The condition of aligned faces, where the parameters ask for it."""
    return (ALIGNED,) if options.aligned else ()


def super_resolved(options: Evaluate) -> tuple[str, ...]:
    """A condition for each super-resolution network that the parameters ask for: ``super_resolved_<network>``."""
    return tuple(f"super_resolved_{network}" for network in options.super_resolution)


def changed(under: np.ndarray, plain: np.ndarray, identity: np.ndarray, seed: int) -> dict[str, object]:
    """What a condition changes: ``difference``, ``difference_interval`` and ``p_value``.

    Args:
        under: (P,) a value per probe or pair under the condition.
        plain: (P,) the values of the faces as they are.
        identity: (P,) the units that are exchanged.
        seed: of the random draws.
    """
    return better(under.astype(np.float64), plain.astype(np.float64), identity, seed=seed).figures()
