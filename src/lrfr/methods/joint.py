"""Joint learning of super-resolution and recognition, without complement super-resolution.

Cheng, Zhu & Gong, "Low-Resolution Face Recognition", ACCV 2018, section 5.3, Tables 6 and 7: the synthetic branch by
eq 3, then its FR part fine-tuned on native faces. What the paper leaves open is said in
:mod:`lrfr.families.super_resolution`.
"""

from collections.abc import Mapping

import torch
from pydantic import Field

from lrfr.families.super_resolution import AuxiliaryTraining, NetworkSettings, Objective, SuperResolvedRecognition
from lrfr.nn.embedder import Embedder
from lrfr.nn.training.settings import Training

STEPS: dict[str, tuple[str, ...]] = {"synthetic": ("auxiliary",), "training": ("native",)}
METRIC = "euclidean"


class Settings(NetworkSettings):
    """The networks', lambda_sr of eq 3, and the trainings: of both networks on synthetic LR; of the FR network on
    native LR."""

    sr_weight: float = Field(ge=0)
    synthetic: AuxiliaryTraining
    training: Training


def build(
    settings: Settings, pretrained: tuple[Embedder, torch.Tensor], num_classes: Mapping[str, int]
) -> SuperResolvedRecognition:
    """An SR network and the pretrained backbone behind it, learnt together on synthetic LR only."""
    objectives = {
        "synthetic": Objective(STEPS["synthetic"], recognition=True, sr_weight=settings.sr_weight),
        "training": Objective(STEPS["training"], recognition=True, sr_weight=None),
    }
    return SuperResolvedRecognition(settings, pretrained[0], num_classes, objectives)
