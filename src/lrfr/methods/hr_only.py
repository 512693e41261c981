"""RIFR's baseline "HR-only": plain softmax on HR images.

Khalid et al., "Resolution Invariant Face Recognition using a Distillation Approach", IEEE Transactions on Biometrics,
Behavior, and Identity Science 2(4), 2020, section III-A.
"""

from collections.abc import Mapping

import torch

from lrfr.families.distillation import Distillation, StudentSettings
from lrfr.nn.embedder import Embedder

STEPS: dict[str, tuple[str, ...]] = {"training": ("auxiliary",)}

Settings = StudentSettings


def build(
    settings: Settings, pretrained: tuple[Embedder, torch.Tensor], num_classes: Mapping[str, int]
) -> Distillation:
    """The student alone."""
    return Distillation(settings, pretrained)
