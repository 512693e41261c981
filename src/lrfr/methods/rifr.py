"""RIFR: resolution-invariant face recognition by a KL loss and a softmax that student and teacher share.

Khalid et al., "Resolution Invariant Face Recognition using a Distillation Approach", IEEE Transactions on Biometrics,
Behavior, and Identity Science 2(4), 2020, section III-B; what the paper leaves open is said in
:mod:`lrfr.families.distillation`.
"""

from collections.abc import Mapping

import torch

from lrfr.families.distillation import Distillation, LowResolutionSettings, distillation_loss
from lrfr.nn.embedder import Embedder

STEPS: dict[str, tuple[str, ...]] = {"training": ("auxiliary",)}

Settings = LowResolutionSettings


def build(
    settings: Settings, pretrained: tuple[Embedder, torch.Tensor], num_classes: Mapping[str, int]
) -> Distillation:
    """The student, and the pretrained model as its teacher."""
    return Distillation(settings, pretrained, widths=settings.widths, soft_targets=True, shared_softmax=True)


__all__ = ["STEPS", "Settings", "build", "distillation_loss"]
