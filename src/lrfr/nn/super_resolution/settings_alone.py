"""params.yaml: a super-resolution network that is trained alone."""

from typing import Annotated, Self

from annotated_types import Len
from pydantic import Field, PositiveInt, model_validator

from lrfr.core.fidelity import SIDE
from lrfr.nn.super_resolution.settings import SuperResolution
from lrfr.nn.training.settings import Training


class SuperResolutionAlone(SuperResolution):
    """The network and its training on HR faces.

    Attributes:
        size: the side of the faces that come out, px.
        sides: the shortest sides of the faces that go in, px, each as often.
        training: of the network.
    """

    size: int = Field(ge=SIDE)
    sides: Annotated[list[PositiveInt], Len(1)]
    training: Training

    @model_validator(mode="after")
    def _originals_stay_sharp(self) -> Self:
        if max(self.sides) >= self.size:
            raise ValueError(f"sides are smaller than the size that comes out, which is {self.size} px")
        for name in ("low_resolution", "validation_sides"):
            if getattr(self.training, name):
                raise ValueError(f"leave training.{name} out: sides say how small the faces are made")
        return self
