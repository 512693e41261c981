"""The contract of presentation: how a face has to be given to a released model, and what comes out."""

from typing import Any

from lrfr.core.alignment import TEMPLATES
from lrfr.nn.embedder import Architecture
from lrfr.nn.model_file import Facts


def contract(architecture: Architecture, facts: Facts) -> dict[str, Any]:
    """What a user's code relies on; where it changes, code of users may have to change.

    Returns:
        ``presentation`` with ``template`` (``side`` px and ``points`` (5, 2) px; null where faces are not aligned),
        ``size`` [height, width] px, ``interpolation``, ``colour``, ``range``, ``dimension`` D, ``metric`` and
        ``quality``.
    """
    side, points = TEMPLATES.get(facts.presentation, (None, None))
    return {
        "presentation": facts.presentation,
        "template": None if points is None else {"side": side, "points": points.tolist()},
        "size": list(architecture.size),
        "interpolation": architecture.preprocessing.interpolation,
        "colour": "RGB",
        "range": [0, 1],
        "dimension": architecture.embedding_dim,
        "metric": facts.metric,
        "quality": facts.quality,
    }
