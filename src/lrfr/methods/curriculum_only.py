"""T-C with the curriculum and without the teacher.

Massoli, Amato & Falchi, "Cross-resolution learning for face recognition", Image and Vision Computing 99, 2020. The
paper gives no results of this half of its method; it parts the curriculum's share in T-C from the teacher's.
"""

from collections.abc import Mapping

import torch

from lrfr.families.cross_resolution import CrossResolution, StudentSettings, curriculum
from lrfr.nn.embedder import Embedder

STEPS: dict[str, tuple[str, ...]] = {"training": ("auxiliary",)}

Settings = StudentSettings


def build(
    settings: Settings, pretrained: tuple[Embedder, torch.Tensor], num_classes: Mapping[str, int]
) -> CrossResolution:
    """The student from the pretrained model, which knows the same auxiliary identities."""
    return CrossResolution(settings, *pretrained, curriculum)
