"""params.yaml: the pretraining."""

from typing import Self

from pydantic import model_validator

from lrfr.config import Section
from lrfr.nn.embedder import Architecture
from lrfr.nn.heads import HeadSettings
from lrfr.nn.start import StartingPoint
from lrfr.nn.training.settings import Training


class Pretraining(Section):
    """Either an ``architecture``, or a model to ``start`` from, which has its own.

    With ``epochs: 0`` that model is used as it is; the head's prototypes are then the class means of its embeddings.
    """

    architecture: Architecture | None = None
    start: StartingPoint | None = None
    head: HeadSettings
    training: Training

    @model_validator(mode="after")
    def _begins_somewhere(self) -> Self:
        if (self.architecture is None) == (self.start is None):
            raise ValueError("give either an architecture or a model to start from, and not both")
        return self
