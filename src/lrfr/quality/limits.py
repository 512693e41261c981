"""params.yaml: what a usable benchmark meets, and how synthetic LR is compared with native LR."""

from typing import Annotated

from annotated_types import Len
from pydantic import AfterValidator, Field

from lrfr.config import Count, FileName, Section, ascending


class Validate(Section):
    """The least that a usable benchmark holds, and where its mean face height may lie, px."""

    min_identities: Count
    min_distractors: int = Field(ge=0, le=10**9)
    mean_height: Annotated[list[Annotated[float, Field(gt=0, le=10_000)]], Len(2, 2), AfterValidator(ascending)]


Auc = Annotated[float, Field(ge=0.5, le=1)]


class Drift(Section):
    """How synthetic faces are compared with native ones, and from when on the gap is too wide.

    Attributes:
        backbone: the one whose embeddings are compared.
        sample: faces of each kind at most.
        drift_share: the share of drifted statistics that is called drift, 0..1.
        warn_above: the AUC of the classifier on embeddings from which the closest synthesiser's gap is warned of.
        stop_above: likewise, from which the pipeline stops; null: never.
    """

    backbone: FileName
    sample: int = Field(ge=20, le=10**7)
    drift_share: float = Field(gt=0, le=1)
    warn_above: Auc | None
    stop_above: Auc | None
