"""params.yaml: a backbone."""

from typing import Self

from pydantic import field_validator, model_validator

from lrfr.config import Section
from lrfr.core.alignment import check_presentation
from lrfr.nn.embedder import Architecture
from lrfr.nn.heads import HeadSettings
from lrfr.nn.model_file import Facts
from lrfr.nn.start import StartingPoint
from lrfr.nn.training.settings import Training

NEW_NETWORKS = "arcface_112"  # how faces are presented to a network that nobody says it of


class Pretraining(Section):
    """Either an ``architecture``, or a model to ``start`` from, which has its own; and how faces are presented to it:
    as to that model, or aligned to ArcFace's template, where nothing is said.

    With ``epochs: 0`` that model is used as it is; the head's prototypes are then the class means of its embeddings.
    """

    presentation: str | None = None
    architecture: Architecture | None = None
    start: StartingPoint | None = None
    head: HeadSettings
    training: Training

    @field_validator("presentation")
    @classmethod
    def _is_known(cls, given: str | None) -> str | None:
        return None if given is None else check_presentation(given)

    @model_validator(mode="after")
    def _begins_somewhere(self) -> Self:
        if (self.architecture is None) == (self.start is None):
            raise ValueError("give either an architecture or a model to start from, and not both")
        return self


def presentation_of(chosen: Pretraining, start: Facts) -> str:
    """How faces are presented to a backbone; ``start`` has the facts of the model that it starts from, if any."""
    return chosen.presentation or (start.presentation if chosen.start else NEW_NETWORKS)
