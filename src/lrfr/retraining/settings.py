"""params.yaml: what arrivals must meet, when training is worth it, and what a new model must meet."""

from typing import Annotated

from pydantic import Field

from lrfr.config import Count, Place, Section

Share = Annotated[float, Field(ge=0, le=1)]


class Gate(Section):
    """What a challenger must meet beside being better on native LR.

    Attributes:
        hr_loss: rank-1 on HR faces may have fallen by so much at most, 0..1: the lower end of the 95 % interval counts.
        latency: ms that one face may take, at most, on the machine that decides.
        size: MB of the model's files, at most.
    """

    hr_loss: Share
    latency: float = Field(gt=0, le=1e6)
    size: float = Field(gt=0, le=1e6)


class Retrain(Section):
    """The section ``retrain``.

    Attributes:
        arrivals: the folder where batches come; a batch is a folder, in the layout of the batches of ``acquire``.
        unusable: the share of a batch's files that may be unreadable or without a face, 0..1.
        wrong_names: the estimated share of wrong names from which a batch is refused, 0..1.
        faces: named faces that came since the last training, from which it is worthwhile where the data drifted.
        growth: the same as a share of the named faces that were there, where the data did not drift.
        verdicts: new lines of people's manifests from which a training is worthwhile.
        drift: the share of looks that may find drift where there is none, 0..1.
        sample: faces that are compared for drift, at most.
        overdue: days without a decision after which ``lrfr doctor`` warns.
        gate: what a challenger must meet.
    """

    arrivals: Place
    unusable: Share
    wrong_names: Annotated[float, Field(gt=0, le=1)]
    faces: Count
    growth: Annotated[float, Field(gt=0, le=1000)]
    verdicts: Count
    drift: Annotated[float, Field(gt=0, le=0.05)]
    sample: int = Field(ge=20, le=10**7)
    overdue: int = Field(ge=1, le=3650)
    gate: Gate
