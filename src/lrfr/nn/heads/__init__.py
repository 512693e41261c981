"""Heads: embeddings and labels to scaled logits, with their margin, to be fed to cross entropy. One file each."""

import math
from collections.abc import Mapping
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import nn

from lrfr.nn.heads.adaface import AdaFace, AdaFaceSettings
from lrfr.nn.heads.arcface import ArcFace, ArcFaceSettings
from lrfr.nn.heads.center_loss import CenterLoss, CenterLossSettings
from lrfr.nn.heads.class_means import class_means
from lrfr.nn.heads.cosface import CosFace, CosFaceSettings
from lrfr.nn.heads.curricularface import CurricularFace, CurricularFaceSettings
from lrfr.nn.heads.deepid2 import DeepID2, DeepID2Settings
from lrfr.nn.heads.head import Head, cross_entropy
from lrfr.nn.heads.magface import MagFace, MagFaceSettings
from lrfr.nn.heads.mvsoftmax import MVSoftmax, MVSoftmaxSettings
from lrfr.nn.heads.normface import NormFace, NormFaceSettings
from lrfr.nn.heads.partial_fc import PartialFC
from lrfr.nn.heads.softmax import Softmax, SoftmaxSettings
from lrfr.nn.heads.sphereface import SphereFace, SphereFaceSettings

HEADS: dict[str, type[Head]] = {
    kind.__name__: kind
    for kind in (
        Softmax,
        NormFace,
        SphereFace,
        CosFace,
        ArcFace,
        MVSoftmax,
        CurricularFace,
        MagFace,
        AdaFace,
        CenterLoss,
        DeepID2,
    )
}

# params.yaml: the section of a head, chosen by its ``name``
HeadSettings = Annotated[
    SoftmaxSettings
    | NormFaceSettings
    | SphereFaceSettings
    | CosFaceSettings
    | ArcFaceSettings
    | MVSoftmaxSettings
    | CurricularFaceSettings
    | MagFaceSettings
    | AdaFaceSettings
    | CenterLossSettings
    | DeepID2Settings,
    Field(discriminator="name"),
]


def build_head(settings: HeadSettings, embedding_dim: int, num_classes: int) -> Head | PartialFC:
    """A new head of ``settings`` for embeddings (B, D) of C identities; it samples where ``sample_rate`` is below 1."""
    values = settings.model_dump()
    kind, rate = HEADS[values.pop("name")], values.pop("sample_rate", 1)
    if rate == 1:
        return kind(embedding_dim, num_classes, **values)
    return PartialFC(kind(embedding_dim, math.ceil(rate * num_classes), **values), num_classes)


def classifier_of(settings: Mapping[str, Any], prototypes: torch.Tensor, bias: torch.Tensor | None = None) -> Head:
    """The head that a model was trained with, over all its identities, also where training drew some of them.

    Args:
        settings: of the head, as the model's facts have them.
        prototypes: (C, D).
        bias: (C,) of a plain softmax that has one.
    """
    values = {key: value for key, value in settings.items() if key not in ("name", "sample_rate")}
    head = HEADS[settings["name"]](prototypes.shape[1], len(prototypes), **values)
    head.weight.data.copy_(prototypes)
    if bias is not None:
        head.bias = nn.Parameter(bias.clone())
    return head


__all__ = [
    "HEADS",
    "AdaFace",
    "ArcFace",
    "ArcFaceSettings",
    "CenterLoss",
    "CosFace",
    "CurricularFace",
    "DeepID2",
    "Head",
    "HeadSettings",
    "MVSoftmax",
    "MagFace",
    "NormFace",
    "PartialFC",
    "Softmax",
    "SphereFace",
    "build_head",
    "class_means",
    "classifier_of",
    "cross_entropy",
]
