"""Generic face recognition: ArcFace on HR faces, then fine-tuned on native LR faces.

Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019; fine-tuned on the native
training set as the generic models of TinyFace are (Cheng, Zhu & Gong, "Low-Resolution Face Recognition", ACCV 2018,
Table 3).
"""

from collections.abc import Mapping

import torch

from lrfr.config import Section
from lrfr.nn.classifier import Classifier
from lrfr.nn.embedder import Embedder
from lrfr.nn.heads import HeadSettings
from lrfr.nn.training.settings import Training

STEPS: dict[str, tuple[str, ...]] = {"training": ("native",)}


class Settings(Section):
    """The head, and the fine-tuning."""

    head: HeadSettings
    training: Training


def build(settings: Settings, pretrained: tuple[Embedder, torch.Tensor], num_classes: Mapping[str, int]) -> Classifier:
    """The pretrained backbone with a new head over the native identities."""
    embedder, _ = pretrained
    return Classifier(embedder, settings.head, num_classes["native"])
