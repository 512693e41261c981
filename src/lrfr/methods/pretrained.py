"""The backbone as it came, tested and not trained: the models that the papers' methods are compared with.

"SotA model" in Massoli, Amato & Falchi (T-C), 2020, Table 3; SphereFace without fine-tuning in Cheng, Zhu & Gong
(CSRI), 2018, Table 3; "w/o FT" in Fang et al. (RAN), 2020, Table 3.
"""

from collections.abc import Mapping

from lrfr.config import Section
from lrfr.nn.embedder import Embedder
from lrfr.nn.model_file import Model
from lrfr.nn.training.task import Task


class Settings(Section):
    """Nothing to set."""


class Pretrained(Task):
    """The embedder of the backbone."""

    def __init__(self, embedder: Embedder) -> None:
        super().__init__()
        self.embedder = embedder


def steps(settings: Settings) -> dict[str, tuple[str, ...]]:
    """It is not trained any further."""
    return {}


def build(settings: Settings, backbone: Model, num_classes: Mapping[str, int]) -> Pretrained:
    """The backbone."""
    return Pretrained(backbone.embedder)
