"""Generic face recognition: ArcFace on HR faces, then fine-tuned on native LR faces.

Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019; fine-tuned on the native
training set as the generic models of TinyFace are (Cheng, Zhu & Gong, "Low-Resolution Face Recognition", ACCV 2018,
Table 3).
"""

import torch

from lrfr.config import Section
from lrfr.nn.backbones import Embedder
from lrfr.nn.classifier import Classifier, MarginHead
from lrfr.nn.training import Training

TRAINS_ON = "native"


class Settings(Section):
    """The head's scale and margin, and the fine-tuning."""

    head: MarginHead
    training: Training


def build(settings: Settings, pretrained: tuple[Embedder, torch.Tensor], num_classes: int) -> Classifier:
    """The pretrained backbone with a new ArcFace head over the ``num_classes`` native identities."""
    embedder, _ = pretrained
    return Classifier(embedder, settings.head, num_classes)
