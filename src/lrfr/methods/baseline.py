"""Generic face recognition: any head on HR faces, then fine-tuned on LR faces.

Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019; fine-tuned on the native
training set as the generic models of TinyFace are (Cheng, Zhu & Gong, "Low-Resolution Face Recognition", ACCV 2018,
Table 3), if wanted after a step on the auxiliary faces, so that it passes over the same faces as often as a method that
learns from both; or on synthetic LR faces, before the native ones or alone.
"""

from collections.abc import Mapping
from typing import Self

from pydantic import model_validator

from lrfr.config import Section
from lrfr.nn.classifier import Classifier
from lrfr.nn.heads import HeadSettings
from lrfr.nn.model_file import Model
from lrfr.nn.training.settings import Training

METRIC = "cosine"
COLLECTIONS = {"auxiliary": "auxiliary", "synthetic": "synthetic", "training": "native"}  # by step


class Settings(Section):
    """The head, the trainings on auxiliary and on synthetic faces that come first, if any, and the fine-tuning on
    native ones, which a run on synthetic faces may go without."""

    head: HeadSettings
    auxiliary: Training | None = None
    synthetic: Training | None = None
    training: Training | None = None

    @model_validator(mode="after")
    def _learns_from_low_resolution(self) -> Self:
        if self.synthetic is None and self.training is None:
            raise ValueError("give a training on native faces (`training`), on synthetic ones (`synthetic`), or both")
        return self


class FineTuning(Classifier):
    """A classifier that learns from one collection after the other."""

    def begin(self, step: str) -> None:
        """Takes the head of the step's collection."""
        self.learn_from(COLLECTIONS[step])


def steps(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Those that are wanted: on auxiliary faces, on synthetic and on native ones."""
    return {step: (COLLECTIONS[step],) for step in COLLECTIONS if getattr(settings, step)}


def build(settings: Settings, backbone: Model, num_classes: Mapping[str, int]) -> FineTuning:
    """The backbone with a new head over the identities of each collection."""
    return FineTuning(backbone.embedder, settings.head, num_classes)
