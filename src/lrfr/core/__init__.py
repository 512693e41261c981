"""The protocols as pure functions of embeddings or scores: numpy alone, no model, no disk.

>>> from lrfr.core import closed_set
>>> closed_set(probe, probe_identity, gallery, gallery_identity).figures(probe_identity)  # doctest: +SKIP

Each function is loaded when it is first asked for; lrfr's own modules import from where it is defined.
"""

from importlib import import_module
from typing import Any

_DEFINED_IN = {
    "closed_set": "identification",
    "open_set": "open_set_identification",
    "verification": "pair_verification",
    "folds": "tenfold",
    "templates": "template_pooling",
    "pair_scores": "template_pooling",
    "every_pair": "exhaustive_pairs",
    "reject": "rejection",
    "better": "significance",
}

__all__ = list(_DEFINED_IN)


def __getattr__(name: str) -> Any:
    if name not in _DEFINED_IN:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(f"{__name__}.{_DEFINED_IN[name]}"), name)
