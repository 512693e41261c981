"""params.yaml: which faces enter the benchmark, and how its identities are split."""

from typing import Literal

from pydantic import Field

from lrfr.config import Section


class Labeller(Section):
    """A simulated labeller: how often a verdict is wrong, and how often it is ``unsure`` (0..1)."""

    error_rate: float = Field(ge=0, le=1)
    unsure_rate: float = Field(ge=0, le=1)


class Curate(Section):
    """Which faces enter the benchmark. Sizes in px."""

    max_side: int = Field(gt=0)
    unverified: Literal["keep", "exclude"]
    simulated_labellers: dict[str, Labeller] = Field(default_factory=dict)


class Split(Section):
    """How identities are divided; ``train_fraction`` (0..1) of them train."""

    train_fraction: float = Field(gt=0, lt=1)
