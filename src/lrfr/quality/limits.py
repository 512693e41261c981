"""params.yaml: what a usable benchmark meets, and how synthetic LR is compared with native LR."""

from typing import Annotated

from annotated_types import Len
from pydantic import AfterValidator, Field

from lrfr.config import Count, Section, ascending


class Validate(Section):
    """The least that a usable benchmark holds, and where its mean face height may lie, px."""

    min_identities: Count
    min_distractors: int = Field(ge=0, le=10**9)
    mean_height: Annotated[list[Annotated[float, Field(gt=0, le=10_000)]], Len(2, 2), AfterValidator(ascending)]


class Drift(Section):
    """How many faces of each kind are compared, and the share of drifted columns that is called drift (0..1)."""

    sample: int = Field(ge=20, le=10**7)
    drift_share: float = Field(gt=0, le=1)
