"""Independent learning of super-resolution and recognition: the SR network first and for itself, then recognition on
what it makes of faces.

Cheng, Zhu & Gong, "Low-Resolution Face Recognition", ACCV 2018, section 5.2, Tables 5 and 6, with SRCNN, VDSR or DRRN;
what the paper leaves open is said in :mod:`lrfr.families.super_resolution`.

Fig. 5b is read so: the SR network learns from LR/HR pairs (eq 1); frozen from then on, it enlarges the auxiliary faces,
down-sampled, that the FR network is trained on, and the native ones that it is fine-tuned on.
"""

from collections.abc import Mapping

import torch

from lrfr.families.super_resolution import AuxiliaryTraining, NetworkSettings, Objective, SuperResolvedRecognition
from lrfr.nn.embedder import Embedder
from lrfr.nn.training.settings import Training

STEPS: dict[str, tuple[str, ...]] = {
    "super_resolution_training": ("auxiliary",),
    "synthetic": ("auxiliary",),
    "training": ("native",),
}
METRIC = "euclidean"


class Settings(NetworkSettings):
    """The networks', and the trainings: of the SR network; of the FR network on synthetic LR; on native LR."""

    super_resolution_training: AuxiliaryTraining
    synthetic: AuxiliaryTraining
    training: Training


def build(
    settings: Settings, pretrained: tuple[Embedder, torch.Tensor], num_classes: Mapping[str, int]
) -> SuperResolvedRecognition:
    """An SR network that learns nothing but super-resolution, and the pretrained backbone behind it."""
    objectives = {
        "super_resolution_training": Objective(STEPS["super_resolution_training"], recognition=False, sr_weight=1.0),
        "synthetic": Objective(STEPS["synthetic"], recognition=True, sr_weight=None),
        "training": Objective(STEPS["training"], recognition=True, sr_weight=None),
    }
    return SuperResolvedRecognition(settings, pretrained[0], num_classes, objectives)
