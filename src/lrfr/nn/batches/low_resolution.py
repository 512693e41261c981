"""Sharp faces that training sees, now and then, as a poor camera would have taken them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Len
from pydantic import AfterValidator, Field

from lrfr.config import Pixels, Section, Settings, ascending


class LowResolution(Section):
    """Synthesis while training.

    Attributes:
        synthesizer: a module of ``lrfr.synthesis``.
        settings: its own.
        share: how many of the faces are shrunk, 0..1.
        heights: lowest and highest height of a shrunk face, px, both included.
    """

    synthesizer: str
    settings: Settings = Field(default_factory=dict)
    share: float = Field(gt=0, le=1)
    heights: Annotated[list[Pixels], Len(2, 2), AfterValidator(ascending)]


@dataclass(frozen=True)
class Degradation:
    """What happens to a face before training sees it.

    Attributes:
        low_resolution: how often, and how small.
        synthesize: ``(image, height_px, rng=rng) -> image``, a synthesiser that has its settings.
    """

    low_resolution: LowResolution
    synthesize: Callable[..., np.ndarray]

    def __call__(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """An RGB image (H, W, 3), uint8, as it is or shrunk to a drawn height; one that is no higher stays."""
        if rng.random() >= self.low_resolution.share:
            return image
        height = draw_height(rng, *self.low_resolution.heights)
        return self.synthesize(image, height, rng=rng) if height < len(image) else image


def draw_height(rng: np.random.Generator, lowest: int, highest: int) -> int:
    """A height in px, lowest ... highest, as likely as log((h + 1) / h): octaves, not pixels, come equally often."""
    drawn = math.exp(rng.uniform(math.log(lowest), math.log(highest + 1)))
    return min(max(int(drawn), lowest), highest)
