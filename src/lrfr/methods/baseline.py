"""Generic face recognition: any head on HR faces, then fine-tuned on native LR faces.

Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019; fine-tuned on the native
training set as the generic models of TinyFace are (Cheng, Zhu & Gong, "Low-Resolution Face Recognition", ACCV 2018,
Table 3).
"""

from collections.abc import Mapping

from lrfr.config import Section
from lrfr.nn.classifier import Classifier
from lrfr.nn.heads import HeadSettings
from lrfr.nn.model_file import Model
from lrfr.nn.training.settings import Training

METRIC = "cosine"


class Settings(Section):
    """The head, and the fine-tuning."""

    head: HeadSettings
    training: Training


def steps(settings: Settings) -> dict[str, tuple[str, ...]]:
    """One, on native faces."""
    return {"training": ("native",)}


def build(settings: Settings, backbone: Model, num_classes: Mapping[str, int]) -> Classifier:
    """The backbone with a new head over the native identities."""
    return Classifier(backbone.embedder, settings.head, num_classes["native"])
