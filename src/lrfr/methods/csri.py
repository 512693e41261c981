"""CSRI: complement super-resolution and identity joint learning, and what the paper compares it with.

Cheng, Zhu & Gong, "Low-Resolution Face Recognition", ACCV 2018, sections 3 and 5. A super-resolution (SR) network and,
behind it, a face recognition (FR) network, learnt in steps; ``learning`` says how:

- ``csri`` (section 3): the synthetic branch first, by eq 3; then both branches, by eq 4, so that the SR network learns
  from native faces too, which have no HR image.
- ``joint`` (section 5.3, Tables 6 and 7): the synthetic branch by eq 3, then its FR part fine-tuned on native faces.
- ``independent`` (section 5.2, Tables 5 and 6; Fig. 5b): the SR network from LR/HR pairs (eq 1); frozen from then on,
  it enlarges the auxiliary faces, down-sampled, that the FR network is trained on, and the native ones that it is
  fine-tuned on.

Where the paper is silent:

- Both branches, synthetic and native, have the same SR and FR network: one set of parameters, as Fig. 2 says. Only the
  last layer, the softmax, is each branch's own, since the people of the two collections are others.
- The faces of both branches go through the networks as one batch, so that batch normalisation, which CentreFace has
  not, sees in training the mixture that it keeps the statistics of.
- The FR network starts as the backbone, the SR network as the identity, the softmaxes anew. What a step does not train
  is frozen with its statistics.
- How HR faces are down-sampled: bicubic, each to a side of its own, drawn from ``sides``. Faces are enlarged bicubic,
  synthetic and native ones, in training and in deployment, as the SR networks' papers do it.
- Validation takes the auxiliary faces shrunk to each of ``sides`` in turn, and the means of the step's own losses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import torch
from pydantic import Field, field_validator, model_validator
from torch import nn

from lrfr.config import Pixels, Section, Weight
from lrfr.nn.embedder import Embedder
from lrfr.nn.heads import HeadSettings, build_head
from lrfr.nn.heads import cross_entropy as fr_loss
from lrfr.nn.model_file import Model
from lrfr.nn.resolution import at_resolution, check_sides
from lrfr.nn.super_resolution.loss import sr_loss
from lrfr.nn.super_resolution.pairs import low_resolution_pairs
from lrfr.nn.super_resolution.settings import SuperResolution
from lrfr.nn.super_resolution.settings_alone import AuxiliaryTraining, made_small_by_its_sides
from lrfr.nn.training.settings import Training
from lrfr.nn.training.task import Batch, Faces, StepContext, Task, Terms

METRIC = "euclidean"
BRANCHES = {"auxiliary": "synthetic", "native": "native"}  # of Fig. 2, by what goes through them
STEPS: dict[str, dict[str, tuple[str, ...]]] = {  # by ``learning``
    "csri": {"synthetic": ("auxiliary",), "training": ("auxiliary", "native")},
    "joint": {"synthetic": ("auxiliary",), "training": ("native",)},
    "independent": {
        "super_resolution_training": ("auxiliary",),
        "synthetic": ("auxiliary",),
        "training": ("native",),
    },
}


class Settings(Section):
    """The variant, the networks, and the trainings of the steps.

    Attributes:
        learning: ``csri``, ``joint`` or ``independent``.
        super_resolution: the SR network.
        head: the softmax of either branch.
        sides: the shortest sides that HR faces are shrunk to, px.
        sr_weight: lambda_sr of eq 3 and 4; 0.003 as published. Not for ``independent``, where no sum has it.
        super_resolution_training: of the SR network, for ``independent`` only.
        synthetic: of the synthetic branch, or of the FR network on synthetic LR.
        training: of both branches, or of the FR network on native LR.
    """

    learning: Literal["csri", "joint", "independent"]
    super_resolution: SuperResolution
    head: HeadSettings
    sides: list[Pixels] = Field(min_length=1)
    sr_weight: Weight | None = None
    super_resolution_training: AuxiliaryTraining | None = None
    synthetic: AuxiliaryTraining
    training: Training

    @field_validator("head")
    @classmethod
    def _is_whole(cls, head: HeadSettings) -> HeadSettings:
        if getattr(head, "sample_rate", 1) < 1:
            raise ValueError("a softmax over drawn identities cannot be trained in steps: leave sample_rate out")
        return head

    @model_validator(mode="after")
    def _is_one_variant(self) -> Self:
        alone = self.learning == "independent"
        if alone == (self.sr_weight is not None):
            raise ValueError("sr_weight goes with learning: csri and joint, and only with them")
        if alone == (self.super_resolution_training is None):
            raise ValueError("super_resolution_training goes with learning: independent, and only with it")
        if self.learning == "csri":
            made_small_by_its_sides(self.training)
        return self


def steps(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Those of the variant."""
    return STEPS[settings.learning]


def build(settings: Settings, backbone: Model, num_classes: Mapping[str, int]) -> "SuperResolvedRecognition":
    """An SR network, and the backbone behind it."""
    return SuperResolvedRecognition(settings, backbone.embedder, num_classes)


@dataclass(frozen=True)
class Objective:
    """What one step learns. A network is trained in the steps that have a loss of its own, and frozen in the others.

    Attributes:
        collections: what goes through the networks.
        recognition: whether each collection's identities are learnt (eq 2), by the FR network and their softmax.
        sr_weight: the factor of eq 1, lambda_sr in eq 3 and 4; None where the SR network learns nothing.
    """

    collections: tuple[str, ...]
    recognition: bool
    sr_weight: float | None


def objectives(settings: Settings) -> dict[str, Objective]:
    """What each step of a variant learns. By itself the SR network has no weight but 1."""
    alone = settings.learning == "independent"
    found = {
        step: Objective(
            collections, recognition=True, sr_weight=settings.sr_weight if "auxiliary" in collections else None
        )
        for step, collections in steps(settings).items()
    }
    if alone:
        found["super_resolution_training"] = Objective(("auxiliary",), recognition=False, sr_weight=1.0)
    return found


class SuperResolvedRecognition(Task):
    """An embedder with an SR network in front, and a softmax for each collection (Fig. 2).

    Args:
        settings: the variant's.
        backbone: the embedder whose network the FR network is a copy of.
        num_classes: C of each collection.
    """

    def __init__(self, settings: Settings, backbone: Embedder, num_classes: Mapping[str, int]) -> None:
        super().__init__()
        self.embedder = behind_super_resolution(backbone, settings.super_resolution)
        dimension = backbone.architecture.embedding_dim
        self.heads = nn.ModuleDict(
            {name: build_head(settings.head, dimension, count) for name, count in num_classes.items()}
        )
        self.sides = check_sides(settings.sides, self.embedder.architecture.size, "sides")
        self.objectives = objectives(settings)
        self.begin(next(iter(self.objectives)))

    def begin(self, step: str) -> None:
        """Freezes what the step does not train."""
        self.objective = self.objectives[step]
        for network, trained in self._networks():
            network.requires_grad_(trained)

    def train(self, mode: bool = True) -> "SuperResolvedRecognition":
        """What is frozen stays in evaluation mode."""
        super().train(mode)
        for network, trained in self._networks():
            network.train(mode and trained)
        return self

    def losses(self, batch: Batch, context: StepContext, optimizer: str) -> Terms:
        """The step's terms of eq 4; without native faces, of eq 3."""
        up = self.embedder.architecture.preprocessing.interpolation
        lr = {
            name: low_resolution_pairs(faces.images, self.sides, up, context) if name == "auxiliary" else faces.images
            for name, faces in batch.items()
        }
        super_resolved = self.embedder.super_resolve(torch.cat(list(lr.values())))
        sizes = [len(images) for images in lr.values()]
        terms: Terms = {}
        if self.objective.sr_weight is not None:
            synthetic = dict(zip(lr, super_resolved.split(sizes), strict=True))["auxiliary"]
            terms["super_resolution"] = self.objective.sr_weight * sr_loss(synthetic, batch["auxiliary"].images)
        if self.objective.recognition:
            embeddings = self.embedder.recognise(super_resolved).split(sizes)
            for (name, faces), embedding in zip(batch.items(), embeddings, strict=True):
                own: Terms = self.heads[name].losses(embedding, faces.labels)  # pyrefly: ignore - a head
                terms |= {f"{BRANCHES[name]}_{term}": value for term, value in own.items()}
        return terms

    def validation_losses(self, faces: Faces) -> Terms:
        """The step's terms of auxiliary faces, made small; of native ones, where they alone are learnt from."""
        if "auxiliary" not in self.objective.collections:
            return self._judged("native", faces, faces.images)
        up = self.embedder.architecture.preprocessing.interpolation
        small = [at_resolution(faces.images, side, "bicubic", up) for side in self.sides]
        judged = [self._judged("auxiliary", faces, images) for images in small]
        return {name: torch.stack([terms[name] for terms in judged]).mean() for name in judged[0]}

    def _judged(self, collection: str, faces: Faces, lr: torch.Tensor) -> Terms:
        super_resolved = self.embedder.super_resolve(lr)
        terms: Terms = {}
        if self.objective.sr_weight is not None:
            terms["super_resolution"] = self.objective.sr_weight * sr_loss(super_resolved, faces.images)
        if self.objective.recognition:
            logits = self.heads[collection].plain(self.embedder.recognise(super_resolved))  # pyrefly: ignore
            terms[f"{BRANCHES[collection]}_classification"] = fr_loss(logits, faces.labels)
        return terms

    def _networks(self) -> Sequence[tuple[nn.Module, bool]]:
        """Every network, and whether the present step trains it."""
        now = self.objective
        heads = [(head, now.recognition and name in now.collections) for name, head in self.heads.items()]
        sr: Any = self.embedder.super_resolution
        return [(sr, now.sr_weight is not None), (self.embedder.backbone, now.recognition), *heads]


def behind_super_resolution(backbone: Embedder, chosen: SuperResolution) -> Embedder:
    """A copy of an embedder with a new SR network in front of its backbone."""
    own = backbone.architecture
    preprocessing = own.preprocessing.model_copy(update={"interpolation": "bicubic"})
    embedder = Embedder(own.model_copy(update={"super_resolution": chosen, "preprocessing": preprocessing}))
    embedder.backbone.load_state_dict(backbone.backbone.state_dict())
    return embedder


__all__ = ["METRIC", "Settings", "build", "fr_loss", "sr_loss", "steps"]
