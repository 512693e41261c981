"""RPCN: robust partially coupled networks, pretrained by super-resolution.

Wang, Chang, Yang, Liu & Huang, "Studying Very Low Resolution Recognition Using Deep Networks", CVPR 2016, as compared
by Cheng, Zhu & Gong, "Low-Resolution Face Recognition" (CSRI), ACCV 2018, section 5.2 and Table 5: Euclidean distance,
an auxiliary HR set and the native training set. Two channels, for LR and for HR, have a part of each convolution's
filters in common, so that they may differ where their inputs do. They are pretrained to give the HR image, with Huber's
loss, which outliers do not rule, and then trained to classify. The LR channel is deployed.

We do not have RPCN's paper beyond its abstract. What we decided:

- The layers: :mod:`lrfr.nn.networks.rpcn`. The share k / n of the coupled filters is a setting of each layer.
- ``super_resolution``: the LR channel sees an auxiliary face's bicubic LR, the HR channel the face itself; each gives
  the face back through a convolution of its own (5 px, as SRCNN's last), which is left behind afterwards. Huber's loss
  is the mean over all values; its threshold is one on values 0..1. Both channels' terms weigh 1, here and below.
- ``recognition``: both channels classify the auxiliary identities. The FC layer and the softmax, without a bias, are
  coupled wholly, so that both channels mean the same embedding.
- ``training``: native faces have no HR, so the LR channel is fine-tuned alone, with a softmax of their identities.
- The pretrained backbone gives the size of the images and D alone: RPCN has a start of its own.
"""

from collections.abc import Mapping
from typing import Annotated, cast

import torch
from pydantic import Field
from torch import nn
from torch.nn import functional as F

from lrfr.config import Pixels, Section
from lrfr.nn.embedder import Architecture, Embedder, Preprocessing
from lrfr.nn.heads import Softmax
from lrfr.nn.model_file import Model
from lrfr.nn.networks.rpcn import NETWORKS, HighResolutionChannel, Rpcn
from lrfr.nn.resolution import Interpolation, at_resolution, check_sides
from lrfr.nn.super_resolution.pairs import low_resolution_pairs
from lrfr.nn.super_resolution.settings_alone import AuxiliaryTraining
from lrfr.nn.training.settings import Training
from lrfr.nn.training.task import Batch, Faces, StepContext, Task, Terms

METRIC = "euclidean"
INTERPOLATION: Interpolation = "bicubic"  # by which faces are enlarged, as SRCNN's are
STEPS: dict[str, tuple[str, ...]] = {
    "super_resolution": ("auxiliary",),
    "recognition": ("auxiliary",),
    "training": ("native",),
}


class Settings(Section):
    """``width``, factor on the filters; ``coupled``, the share of each layer's that both channels have in common, below
    1; ``huber_threshold``, on values 0..1; ``sides``, px, that HR faces are shrunk to; the three steps' trainings."""

    width: float = Field(1.0, ge=0.05, le=4)
    coupled: list[Annotated[float, Field(ge=0, lt=1)]] = Field(min_length=3, max_length=3)
    huber_threshold: Annotated[float, Field(gt=0, le=1)]
    sides: list[Pixels] = Field(min_length=1)
    super_resolution: AuxiliaryTraining
    recognition: AuxiliaryTraining
    training: Training


def robust_sr_loss(super_resolved: torch.Tensor, hr: torch.Tensor, threshold: float) -> torch.Tensor:
    """Huber's loss between images (B, 3, H, W), values 0..1: e^2 / 2 where |e| is at most ``threshold``, t, and
    t (|e| - t / 2) beyond; the mean over all values, in float32 whatever the precision of the training."""
    return F.huber_loss(super_resolved.float(), hr.float(), delta=threshold)


class PartiallyCoupled(Task):
    """The LR channel, which is the embedder's backbone; the HR channel, which borrows from it; what each step needs."""

    starts_from_backbone = False

    def __init__(self, settings: Settings, embedder: Embedder, num_classes: Mapping[str, int]) -> None:
        super().__init__()
        self.settings, self.step = settings, next(iter(STEPS))
        self.embedder = embedder
        self.sides = check_sides(settings.sides, embedder.architecture.size, "sides")
        self.high = HighResolutionChannel(self.low, settings.coupled)
        filters = self.low.third.out_channels
        self.reconstruction = nn.ModuleDict({name: nn.Conv2d(filters, 3, 5, padding=2) for name in ("low", "high")})
        dimension = embedder.architecture.embedding_dim
        self.heads = nn.ModuleDict({name: Softmax(dimension, classes) for name, classes in num_classes.items()})

    @property
    def low(self) -> Rpcn:
        """The LR channel."""
        return cast(Rpcn, self.embedder.backbone)

    def begin(self, step: str) -> None:
        """Only what a step's losses reach is trained in it."""
        self.step = step
        reached: dict[str, list[nn.Module]] = {
            "super_resolution": [self.low.first, self.low.second, self.low.third, self.high, self.reconstruction],
            "recognition": [self.low, self.high, self.heads["auxiliary"]],
            "training": [self.low, self.heads["native"]],
        }
        self.requires_grad_(False)
        for module in reached[step]:
            module.requires_grad_(True)

    def losses(self, batch: Batch, context: StepContext, optimizer: str) -> Terms:
        """Super-resolution's or classification's terms: one of the LR channel, and one of the HR channel where it is
        trained."""
        (faces,) = batch.values()
        if self.step == "training":
            return {"classification": self._cross_entropy(self.embedder(faces.images), faces.labels)}
        lr = low_resolution_pairs(faces.images, self.sides, INTERPOLATION, context)
        high = self.high.features(self._normalised(faces.images), self.low)
        if self.step == "super_resolution":
            return {
                "super_resolution": self._super_resolution(lr, faces.images),
                "hr_reconstruction": self._sr_loss(self.reconstruction["high"](high), faces.images),
            }
        return {
            "classification": self._cross_entropy(self.embedder(lr), faces.labels),
            "hr_classification": self._cross_entropy(self.low.output(high), faces.labels),
        }

    def validation_losses(self, faces: Faces) -> Terms:
        """The LR channel's term: of auxiliary faces, the mean over all ``sides`` that they are shrunk to."""
        if self.step == "training":
            return {"classification": self._cross_entropy(self.embedder(faces.images), faces.labels)}
        views = [at_resolution(faces.images, side, "bicubic", INTERPOLATION) for side in self.sides]
        if self.step == "super_resolution":
            return {"super_resolution": torch.stack([self._super_resolution(lr, faces.images) for lr in views]).mean()}
        judged = [self._cross_entropy(self.embedder(lr), faces.labels) for lr in views]
        return {"classification": torch.stack(judged).mean()}

    def _super_resolution(self, lr: torch.Tensor, hr: torch.Tensor) -> torch.Tensor:
        return self._sr_loss(self.reconstruction["low"](self.low.forward_features(self._normalised(lr))), hr)

    def _sr_loss(self, super_resolved: torch.Tensor, hr: torch.Tensor) -> torch.Tensor:
        return robust_sr_loss(super_resolved, hr, self.settings.huber_threshold)

    def _cross_entropy(self, embedding: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        head = cast(Softmax, self.heads[STEPS[self.step][0]])
        return F.cross_entropy(head(embedding.float(), labels), labels)

    def _normalised(self, images: torch.Tensor) -> torch.Tensor:
        images = (images - self.embedder.mean) / self.embedder.std
        return images.contiguous(memory_format=torch.channels_last)


def steps(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Super-resolution, recognition, and the LR channel on native faces."""
    return STEPS


def build(settings: Settings, backbone: Model, num_classes: Mapping[str, int]) -> PartiallyCoupled:
    """A new network for images of the backbone's size, and with embeddings of its D."""
    known = backbone.embedder.architecture
    architecture = Architecture(
        backbone="lrfr_rpcn",
        width=settings.width,
        embedding_dim=known.embedding_dim,
        input_size=known.input_size,
        dropout=NETWORKS["lrfr_rpcn"].published.dropout,
        preprocessing=Preprocessing(interpolation=INTERPOLATION),
    )
    return PartiallyCoupled(settings, Embedder(architecture), num_classes)
