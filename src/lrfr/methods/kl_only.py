"""RIFR with the KL loss and without the shared softmax: the student's own softmax, the teacher's probabilities as
targets.

Khalid et al., "Resolution Invariant Face Recognition using a Distillation Approach", IEEE Transactions on Biometrics,
Behavior, and Identity Science 2(4), 2020, section IV-A, ablation: of eq 3 the first term alone.
"""

from collections.abc import Mapping

import torch

from lrfr.families.distillation import Distillation, LowResolutionSettings
from lrfr.nn.embedder import Embedder

STEPS: dict[str, tuple[str, ...]] = {"training": ("auxiliary",)}

Settings = LowResolutionSettings


def build(
    settings: Settings, pretrained: tuple[Embedder, torch.Tensor], num_classes: Mapping[str, int]
) -> Distillation:
    """The student, and the pretrained model as its teacher."""
    return Distillation(settings, pretrained, widths=settings.widths, soft_targets=True)
