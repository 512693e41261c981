"""The same test faces after a super-resolution network.

A condition is embedded beside the faces as they are and scored in the same way; what it changes is tested on the same
probes or pairs, with identities as the units (:func:`lrfr.core.significance.better`).
"""

import numpy as np

from lrfr.core.significance import better

DEFINITION = (
    "differences are the condition minus the faces as they are, with 95 % bootstrap intervals over identities and the "
    "p-value of a sign-flip permutation test"
)


def changed(under: np.ndarray, plain: np.ndarray, identity: np.ndarray, seed: int) -> dict[str, object]:
    """What a condition changes: ``difference``, ``difference_interval`` and ``p_value``.

    Args:
        under: (P,) a value per probe or pair under the condition.
        plain: (P,) the values of the faces as they are.
        identity: (P,) the units that are exchanged.
        seed: of the random draws.
    """
    return better(under.astype(np.float64), plain.astype(np.float64), identity, seed=seed).figures()
