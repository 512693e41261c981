"""params.yaml: what all synthesisers that learn have in common."""

from typing import Annotated, Literal, Self

from annotated_types import Len
from pydantic import AfterValidator, Field, model_validator

from lrfr.config import Pixels, Section, ascending
from lrfr.nn.training.settings import Training


class Realistic(Section):
    """The LR faces that are learnt from, training faces alone.

    Attributes:
        collection: ``native``, those of the benchmark, or ``auxiliary``: the tiny ones among the auxiliary faces.
        eye_mouth: the least and the largest distance of the middle of the eyes from that of the mouth, px of the face
            as it was cut, both excluded; all faces where it is None. RAN takes 10 to 30 (section 4.1).
    """

    collection: Literal["native", "auxiliary"] = "native"
    eye_mouth: Annotated[list[Pixels], Len(2, 2), AfterValidator(ascending)] | None = None

    @model_validator(mode="after")
    def _picks_tiny_faces(self) -> Self:
        if self.collection == "auxiliary" and self.eye_mouth is None:
            raise ValueError("auxiliary faces are sharp: say which of them are tiny, such as eye_mouth: [10, 30]")
        return self


class Collapse(Section):
    """When a training of two players is stopped: the discriminator tells real from made faces with an ``accuracy`` of
    so much or more, or of 1 minus so much or less, for a ``window`` of updates in a row."""

    accuracy: float = Field(0.999, gt=0.5, le=1)
    window: int = Field(1000, gt=0, le=10**6)


class Learned(Section):
    """A synthesiser that learns.

    Attributes:
        backbone: whose presentation the faces have; MR-GAN's expert as well.
        size: of the faces that go in, px.
        width: factor on the channels of all its networks; 1 as published.
        realistic: the LR faces that it learns from.
        collapse: when its training is stopped.
        training: of both players; the discriminators' optimiser is ``optimizers.discriminator``.
    """

    backbone: str
    size: int = Field(ge=16, le=1024)
    width: float = Field(1.0, ge=0.05, le=4)
    realistic: Realistic = Realistic()
    collapse: Collapse = Collapse()
    training: Training

    @model_validator(mode="after")
    def _sees_faces_as_they_are(self) -> Self:
        for key in ("low_resolution", "tight_crops", "images_per_identity"):
            if getattr(self.training, key):
                raise ValueError(f"it learns from faces as they are: leave training.{key} out")
        return self
