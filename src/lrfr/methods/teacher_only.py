"""T-C with the teacher and without the curriculum.

Massoli, Amato & Falchi, "Cross-resolution learning for face recognition", Image and Vision Computing 99, 2020. The
paper gives no results of this half of its method; it parts the teacher's share in T-C from the curriculum's.
"""

import copy
from collections.abc import Mapping

import torch
from pydantic import Field

from lrfr.families.cross_resolution import CrossResolution, StudentSettings, fixed_frequency
from lrfr.nn.embedder import Embedder

STEPS: dict[str, tuple[str, ...]] = {"training": ("auxiliary",)}


class Settings(StudentSettings):
    """The student's, lambda of eq 1, and how many of the images are down-sampled, 0..1."""

    distillation_weight: float = Field(ge=0)
    frequency: float = Field(ge=0, le=1)


def build(
    settings: Settings, pretrained: tuple[Embedder, torch.Tensor], num_classes: Mapping[str, int]
) -> CrossResolution:
    """Teacher and student from the pretrained model, which knows the same auxiliary identities."""
    embedder, prototypes = pretrained
    chance = fixed_frequency(settings.frequency)
    return CrossResolution(
        settings, copy.deepcopy(embedder), prototypes, chance, embedder, settings.distillation_weight
    )
