"""RIFR's baseline "HR+LR": plain softmax on HR images and their down-sampled versions.

Khalid et al., "Resolution Invariant Face Recognition using a Distillation Approach", IEEE Transactions on Biometrics,
Behavior, and Identity Science 2(4), 2020, section III-A.
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
    """The student alone."""
    return Distillation(settings, pretrained, widths=settings.widths)
