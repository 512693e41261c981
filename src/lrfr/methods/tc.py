"""T-C: teacher and curriculum for cross-resolution recognition.

Massoli, Amato & Falchi, "Cross-resolution learning for face recognition", Image and Vision Computing 99, 2020; what
the paper leaves open is said in :mod:`lrfr.families.cross_resolution`.
"""

import copy
from collections.abc import Mapping

import torch
from pydantic import Field

from lrfr.families.cross_resolution import (
    CrossResolution,
    StudentSettings,
    curriculum,
    curriculum_probability,
    draw_resolution,
    feature_distillation,
)
from lrfr.nn.embedder import Embedder

STEPS: dict[str, tuple[str, ...]] = {"training": ("auxiliary",)}


class Settings(StudentSettings):
    """The student's, and lambda of eq 1."""

    distillation_weight: float = Field(ge=0)


def build(
    settings: Settings, pretrained: tuple[Embedder, torch.Tensor], num_classes: Mapping[str, int]
) -> CrossResolution:
    """Teacher and student from the pretrained model, which knows the same auxiliary identities."""
    embedder, prototypes = pretrained
    return CrossResolution(
        settings, copy.deepcopy(embedder), prototypes, curriculum, embedder, settings.distillation_weight
    )


__all__ = ["STEPS", "Settings", "build", "curriculum_probability", "draw_resolution", "feature_distillation"]
