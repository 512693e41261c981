"""The floor: the same network with the weights that it was born with, never trained.

No paper proposes it. What it reaches is what image statistics alone give away; a method is worth what it adds.
"""

from collections.abc import Mapping

import torch

from lrfr.config import Section
from lrfr.nn.embedder import Embedder
from lrfr.nn.training.task import Task

STEPS: dict[str, tuple[str, ...]] = {}


class Settings(Section):
    """Nothing to set."""


class Untrained(Task):
    """A backbone of the pretrained one's architecture, freshly initialised."""

    def __init__(self, embedder: Embedder) -> None:
        super().__init__()
        self.embedder = embedder


def build(settings: Settings, pretrained: tuple[Embedder, torch.Tensor], num_classes: Mapping[str, int]) -> Untrained:
    """Takes nothing from the pretrained model but its architecture."""
    return Untrained(Embedder(pretrained[0].architecture).eval())
