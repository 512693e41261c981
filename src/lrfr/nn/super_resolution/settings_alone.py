"""params.yaml: the trainings of super-resolution networks, by themselves or inside a method."""

from typing import Annotated, Self

from annotated_types import Len
from pydantic import AfterValidator, Field, PositiveInt, model_validator

from lrfr.core.fidelity import SIDE
from lrfr.nn.super_resolution.settings import SuperResolution
from lrfr.nn.training.settings import Training


def made_small_by_its_sides(training: Training) -> Training:
    """A training whose HR faces are made small by the ``sides`` of its method, and by nothing else.

    Raises:
        ValueError: it makes them small itself.
    """
    for key in ("low_resolution", "validation_sides"):
        if getattr(training, key):
            raise ValueError(f"HR faces are made small by the method's own `sides`: leave {key} out")
    return training


AuxiliaryTraining = Annotated[Training, AfterValidator(made_small_by_its_sides)]
"""A training that auxiliary faces take part in."""


class SuperResolutionAlone(SuperResolution):
    """The network and its training on HR faces.

    Attributes:
        size: the side of the faces that come out, px.
        sides: the shortest sides of the faces that go in, px, each as often.
        training: of the network.
    """

    size: int = Field(ge=SIDE)
    sides: Annotated[list[PositiveInt], Len(1)]
    training: AuxiliaryTraining

    @model_validator(mode="after")
    def _originals_stay_sharp(self) -> Self:
        if max(self.sides) >= self.size:
            raise ValueError(f"sides are smaller than the size that comes out, which is {self.size} px")
        return self

    @model_validator(mode="after")
    def _faces_stay_as_cropped(self) -> Self:
        if self.training.tight_crops:
            raise ValueError("leave training.tight_crops out: these faces are not aligned")
        return self
