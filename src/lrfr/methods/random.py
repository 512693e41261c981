"""The floor: the backbone's architecture with the weights that it was born with, never trained.

No paper proposes it. What it reaches is what image statistics alone give away; a method is worth what it adds.
"""

from collections.abc import Mapping

from lrfr.config import Section
from lrfr.nn.embedder import Embedder
from lrfr.nn.model_file import Model
from lrfr.nn.training.task import Task


class Settings(Section):
    """Nothing to set."""


class Untrained(Task):
    """A freshly initialised embedder."""

    starts_from_backbone = False

    def __init__(self, embedder: Embedder) -> None:
        super().__init__()
        self.embedder = embedder


def steps(settings: Settings) -> dict[str, tuple[str, ...]]:
    """It is never trained."""
    return {}


def build(settings: Settings, backbone: Model, num_classes: Mapping[str, int]) -> Untrained:
    """Takes nothing from the backbone but its architecture."""
    return Untrained(Embedder(backbone.embedder.architecture).eval())
