"""params.yaml: which faces enter the benchmark, and how its identities are split."""

from typing import Literal, Self

from pydantic import Field, model_validator

from lrfr.config import FileName, Pixels, Section
from lrfr.core.duplicates import SAME_PICTURE


class Labeller(Section):
    """A simulated labeller: how often a verdict is wrong, and how often it is ``unsure`` (0..1)."""

    error_rate: float = Field(ge=0, le=1)
    unsure_rate: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _are_shares_of_one_whole(self) -> Self:
        if self.error_rate + self.unsure_rate > 1:
            raise ValueError("error_rate and unsure_rate are more than 1 together")
        return self


class Curate(Section):
    """Which faces enter the benchmark. Sizes in px.

    ``near_copies`` is the mean absolute difference of two faces' thumbnails, in grey levels of 0..255, up to which they
    are taken for one picture; 0 leaves the copies that are equal. What people say of a pair counts more.
    """

    max_side: Pixels
    unverified: Literal["keep", "exclude"]
    near_copies: float = Field(default=SAME_PICTURE, ge=0, le=255)
    simulated_labellers: dict[FileName, Labeller] = Field(default_factory=dict)


class Split(Section):
    """How identities are divided; ``train_fraction`` (0..1) of them train."""

    train_fraction: float = Field(gt=0, lt=1)
