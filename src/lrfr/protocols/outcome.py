"""What every protocol hands back."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Curve:
    """Columns of equal length, the horizontal axis first; NaN where there is no value."""

    columns: dict[str, np.ndarray]


@dataclass(frozen=True)
class Outcome:
    """One method on one test set.

    Attributes:
        figures: ready for JSON.
        curves: by kind, such as ``cmc`` or ``roc``.
        definitions: which readings of the protocol were used, in words, by what they define.
        per_probe: arrays (P,), one entry per probe, for paired tests between methods; empty where none are made.
    """

    figures: dict[str, Any]
    curves: dict[str, Curve]
    definitions: dict[str, str] = field(default_factory=dict)
    per_probe: dict[str, np.ndarray] = field(default_factory=dict)
