"""CSRI's family: a super-resolution (SR) network and, behind it, a face recognition (FR) network, learnt in steps.

Cheng, Zhu & Gong, "Low-Resolution Face Recognition", ACCV 2018, sections 3 and 5.3. The variants differ in what each
of their steps trains, and by which losses.

Where the paper is silent:

- Both branches, synthetic and native, have the same SR and FR network: one set of parameters, as Fig. 2 says. Only the
  last layer, the softmax, is each branch's own, since the people of the two collections are others.
- The faces of both branches go through the networks as one batch, so that batch normalisation, which CentreFace has
  not, sees in training the mixture that it keeps the statistics of.
- The FR network starts as the pretrained backbone, the SR network as the identity, the softmaxes anew. What a step does
  not train is frozen with its statistics.
- How HR faces are down-sampled: bicubic, each to a side of its own, drawn from ``sides``. Faces are enlarged bicubic,
  synthetic and native ones, in training and in deployment, as the SR networks' papers do it.
- Validation takes the auxiliary faces shrunk to each of ``sides`` in turn, and the means of the step's own losses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from pydantic import AfterValidator, Field, PositiveInt, field_validator
from torch import nn
from torch.nn import functional as F

from lrfr.config import Section
from lrfr.nn.embedder import Embedder
from lrfr.nn.heads import HeadSettings, build_head
from lrfr.nn.resolution import at_resolution, check_sides
from lrfr.nn.super_resolution.loss import sr_loss
from lrfr.nn.super_resolution.pairs import low_resolution_pairs
from lrfr.nn.super_resolution.settings import SuperResolution
from lrfr.nn.training.settings import Training
from lrfr.nn.training.task import Batch, Faces, StepContext, Task, Terms

BRANCHES = {"auxiliary": "synthetic", "native": "native"}  # of Fig. 2, by what goes through them


def _made_small_by_its_sides(training: Training) -> Training:
    for key in ("low_resolution", "validation_sides"):
        if getattr(training, key):
            raise ValueError(f"HR faces are made small by the method's own `sides`: leave {key} out")
    return training


AuxiliaryTraining = Annotated[Training, AfterValidator(_made_small_by_its_sides)]
"""A training that auxiliary faces take part in."""


class NetworkSettings(Section):
    """The SR network, the softmax of either branch, and the shortest ``sides`` that HR faces are shrunk to, px."""

    super_resolution: SuperResolution
    head: HeadSettings
    sides: list[PositiveInt] = Field(min_length=1)

    @field_validator("head")
    @classmethod
    def _is_whole(cls, head: HeadSettings) -> HeadSettings:
        if getattr(head, "sample_rate", 1) < 1:
            raise ValueError("a softmax over drawn identities cannot be trained in steps: leave sample_rate out")
        return head


def fr_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """eq 2: the softmax cross entropy of logits (B, C) with the identities ``labels`` (B,) int64, their mean.

    The head ``Softmax`` computes the same for itself.
    """
    return F.cross_entropy(logits, labels)


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


class SuperResolvedRecognition(Task):
    """An embedder with an SR network in front, and a softmax for each collection (Fig. 2).

    Args:
        settings: the networks'.
        pretrained: whose backbone the FR network is a copy of.
        num_classes: C of each collection.
        objectives: what is learnt in each step, by its name.
    """

    def __init__(
        self,
        settings: NetworkSettings,
        pretrained: Embedder,
        num_classes: Mapping[str, int],
        objectives: Mapping[str, Objective],
    ) -> None:
        super().__init__()
        self.embedder = behind_super_resolution(pretrained, settings.super_resolution)
        dimension = pretrained.architecture.embedding_dim
        self.heads = nn.ModuleDict(
            {name: build_head(settings.head, dimension, count) for name, count in num_classes.items()}
        )
        self.sides = check_sides(settings.sides, self.embedder.architecture.size, "sides")
        self.objectives = objectives
        self.begin(next(iter(objectives)))

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


def behind_super_resolution(pretrained: Embedder, chosen: SuperResolution) -> Embedder:
    """A copy of an embedder with a new SR network in front of its backbone."""
    own = pretrained.architecture
    preprocessing = own.preprocessing.model_copy(update={"interpolation": "bicubic"})
    embedder = Embedder(own.model_copy(update={"super_resolution": chosen, "preprocessing": preprocessing}))
    embedder.backbone.load_state_dict(pretrained.backbone.state_dict())
    return embedder
