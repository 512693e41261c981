"""params.yaml: how training faces are varied."""

from typing import Annotated

from annotated_types import Len
from pydantic import AfterValidator, Field

from lrfr.config import Positive, Section, ascending


class AugmentationSettings(Section):
    """What a training draws anew each time it sees a face; 0, false or null switches one of them off.

    Attributes:
        mirror: half of the faces are mirrored.
        shift: the largest shift either way, a share of the side. 1/16 is that of a random 224 px crop out of 256 px
            (T-C, section 5), without cutting the border off boxes that are tight already.
        scale: the largest change of the size, a share of it.
        rotation: the largest rotation either way, degrees.
        brightness: the largest change, a share of the range of values.
        contrast: the largest change, a share of the contrast.
        gamma: the lowest and the highest exponent of the values; null for none.
        blur: the smallest and the largest standard deviation of a Gaussian blur, px of the network's input, of half of
            the faces; null for none. RAN's LR model has it (section 4.2).
    """

    mirror: bool = True
    shift: float = Field(1 / 16, ge=0, lt=1)
    scale: float = Field(0.08, ge=0, lt=1)
    rotation: float = Field(8, ge=0, le=180)
    brightness: float = Field(0.25, ge=0, le=1)
    contrast: float = Field(0.25, ge=0, le=1)
    gamma: Annotated[list[Positive], Len(2, 2), AfterValidator(ascending)] | None = Field(
        default_factory=lambda: [0.7, 1.4]
    )
    blur: Annotated[list[Annotated[float, Field(gt=0, le=100)]], Len(2, 2), AfterValidator(ascending)] | None = None
