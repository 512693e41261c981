"""nT-nC: T-C with neither teacher nor curriculum.

Massoli, Amato & Falchi, "Cross-resolution learning for face recognition", Image and Vision Computing 99, 2020, section
5: all parameters free, cross entropy alone, images down-sampled at a fixed frequency. The paper does not say which;
half of the images is what the curriculum comes to over a whole training.
"""

from collections.abc import Mapping

import torch
from pydantic import Field

from lrfr.families.cross_resolution import CrossResolution, StudentSettings, fixed_frequency
from lrfr.nn.embedder import Embedder

STEPS: dict[str, tuple[str, ...]] = {"training": ("auxiliary",)}


class Settings(StudentSettings):
    """The student's, and how many of the images are down-sampled, 0..1."""

    frequency: float = Field(ge=0, le=1)


def build(
    settings: Settings, pretrained: tuple[Embedder, torch.Tensor], num_classes: Mapping[str, int]
) -> CrossResolution:
    """The student from the pretrained model, which knows the same auxiliary identities."""
    return CrossResolution(settings, *pretrained, fixed_frequency(settings.frequency))
