"""CSRI: complement super-resolution and identity joint learning.

Cheng, Zhu & Gong, "Low-Resolution Face Recognition", ACCV 2018, section 3: the synthetic branch first, by eq 3; then
both branches, by eq 4, so that the SR network learns from native faces too, which have no HR image. What the paper
leaves open is said in :mod:`lrfr.families.super_resolution`.
"""

from collections.abc import Mapping

import torch
from pydantic import Field

from lrfr.families.super_resolution import (
    AuxiliaryTraining,
    NetworkSettings,
    Objective,
    SuperResolvedRecognition,
    fr_loss,
    sr_loss,
)
from lrfr.nn.embedder import Embedder

STEPS: dict[str, tuple[str, ...]] = {"synthetic": ("auxiliary",), "training": ("auxiliary", "native")}
METRIC = "euclidean"


class Settings(NetworkSettings):
    """The networks', lambda_sr of eq 3 and 4, and the trainings: of the synthetic branch; of both."""

    sr_weight: float = Field(ge=0)
    synthetic: AuxiliaryTraining
    training: AuxiliaryTraining


def build(
    settings: Settings, pretrained: tuple[Embedder, torch.Tensor], num_classes: Mapping[str, int]
) -> SuperResolvedRecognition:
    """An SR network and the pretrained backbone behind it, learnt together on synthetic and native LR."""
    objectives = {
        step: Objective(collections, recognition=True, sr_weight=settings.sr_weight)
        for step, collections in STEPS.items()
    }
    return SuperResolvedRecognition(settings, pretrained[0], num_classes, objectives)


__all__ = ["METRIC", "STEPS", "Settings", "build", "fr_loss", "sr_loss"]
