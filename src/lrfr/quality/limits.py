"""params.yaml: what a usable benchmark meets, and how synthetic LR is compared with native LR."""

from pydantic import Field

from lrfr.config import Section


class Validate(Section):
    """The least that a usable benchmark holds, and where its mean face height may lie, px."""

    min_identities: int = Field(gt=0)
    min_distractors: int = Field(ge=0)
    mean_height: list[float] = Field(min_length=2, max_length=2)


class Drift(Section):
    """How many faces of each kind are compared, and the share of drifted columns that is called drift (0..1)."""

    sample: int = Field(ge=20)
    drift_share: float = Field(gt=0, le=1)
