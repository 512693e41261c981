"""params.yaml: how landmarks are learnt."""

from typing import Annotated, Self

from annotated_types import Len
from pydantic import AfterValidator, Field, model_validator

from lrfr.config import Count, Pixels, Section, ascending
from lrfr.nn.training.settings import Training


class Wing(Section):
    """The Wing loss: where its logarithm ends, and how sharp it is at 0; px of the 64 px input."""

    w: Annotated[float, Field(gt=0, le=64)] = 10.0
    epsilon: Annotated[float, Field(gt=0, le=64)] = 2.0


class Landmarks(Section):
    """The network and its training.

    Attributes:
        width: factor on CNN-6's channels; 1 is the published network.
        heights: lowest and highest height that faces are shrunk to in training, px, octaves equally often.
        wing: the loss.
        tight: the share (0..1) of the training faces that are cropped tightly, with edges cut off, as in TinyFace
            (RIFR, section II).
        most_faces: how many faces are learnt from and judged by, at most.
        training: of the network. Every face is shrunk, to ``heights``; ``low_resolution`` would do it twice.
    """

    width: float = Field(1.0, ge=0.05, le=4)
    heights: Annotated[list[Pixels], Len(2, 2), AfterValidator(ascending)]
    wing: Wing = Wing()
    tight: float = Field(ge=0, le=1)
    most_faces: Count = 50_000
    training: Training

    @model_validator(mode="after")
    def _is_of_landmarks(self) -> Self:
        if self.training.low_resolution is not None:
            raise ValueError("leave training.low_resolution out: heights say how small the faces are made")
        if self.training.tight_crops:
            raise ValueError("leave training.tight_crops out: tight says how many faces are cropped tightly")
        if "augmentation" in self.training.model_fields_set:
            raise ValueError("leave training.augmentation out: landmarks have variations of their own")
        if self.training.images_per_identity is not None:
            raise ValueError("leave training.images_per_identity out: landmarks have no identity")
        return self
