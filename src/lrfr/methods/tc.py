"""T-C: teacher and curriculum for cross-resolution recognition, and its halves.

Massoli, Amato & Falchi, "Cross-resolution learning for face recognition", Image and Vision Computing 99, 2020. Two
settings make the variants: ``teacher`` (a frozen network that sees the full resolution supervises the student's
features) and ``curriculum`` (how often the student's images are down-sampled rises; without, it is a fixed frequency).
Both are T-C, neither is the paper's nT-nC; the paper gives no results of the two halves.

Eq 1 sums the squared distances of the features over the batch and does not say how its cross entropy is reduced; the
text calls the second term the MSE. ``reduction`` names the consistent readings:

============== ==================== ======================================== =================================
``reduction``  cross entropy        distillation                             where it comes from
============== ==================== ======================================== =================================
``mean``       mean over the batch  mean over the batch and the dimensions   "the MSE"; the authors' code
``batch_mean`` mean over the batch  mean over the batch of squared distances eq 1, divided by the batch
``sum``        sum over the batch   sum over the batch of squared distances  eq 1 as printed
============== ==================== ======================================== =================================

``mean`` is the default: the published lambda was found with it (docs/decisions.md).

Where the paper is silent:

- The student starts as a copy of the whole teacher, classifier included: its softmax is the teacher's own, plain where
  that is plain, with its bias where it has one, and without a margin. So it is without a teacher.
- Faces are shrunk at the network's size. Of the paper's six powers of two only 2^8 leaves an image of that size as it
  is; at a smaller input several would. So ``full_size_share`` says how often a drawn image stays as it is, one in six,
  and the powers of two that make it smaller have the rest in equal parts.
- nT-nC's fixed frequency is not given; half of the images is what the curriculum comes to over a whole training.
- Validation gives the student's cross entropy. Which resolutions decide on a plateau is a setting of the training
  (``watched_side``), as is whether the best weights are kept (``keep``).
- Whether the running statistics of batch normalisation follow the student's images is a setting
  (``frozen_statistics``); in the authors' code they stay the teacher's.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from lrfr.config import Section, Weight
from lrfr.errors import ParameterError
from lrfr.nn.embedder import Embedder
from lrfr.nn.heads import Head, classifier_of
from lrfr.nn.model_file import Model
from lrfr.nn.resolution import at_resolution, check_sides
from lrfr.nn.training.settings import Training
from lrfr.nn.training.task import Batch, Faces, StepContext, Task, Terms

Chance = Callable[[StepContext], float]
Reduction = Literal["mean", "batch_mean", "sum"]


class Settings(Section):
    """The variant, and the training.

    Attributes:
        teacher: whether a teacher supervises the features.
        distillation_weight: lambda of eq 1; 0.1 as published. With a teacher only.
        reduction: how both terms of eq 1 are reduced.
        curriculum: whether the chance of a down-sampled image rises from 0 to 1.
        frequency: that chance, 0..1, where there is no curriculum.
        smallest_exponent: of 2, of the drawn resolutions; 3 as published.
        largest_exponent: likewise; 8 as published. Those that make no image of the network's size smaller do not count.
        full_size_share: how many of the drawn images stay as they are, 0..1; one in six as published.
        frozen_statistics: whether the running statistics of the student's batch normalisations stay as they came.
        training: of the student.
    """

    teacher: bool
    distillation_weight: Weight | None = None
    reduction: Reduction = "mean"
    curriculum: bool
    frequency: float | None = Field(default=None, ge=0, le=1)
    smallest_exponent: int = Field(ge=2, le=8)
    largest_exponent: int = Field(ge=2, le=8)
    full_size_share: float = Field(default=1 / 6, ge=0, lt=1)
    frozen_statistics: bool = False
    training: Training

    @model_validator(mode="after")
    def _is_one_variant(self) -> Self:
        if self.smallest_exponent > self.largest_exponent:
            raise ValueError("smallest_exponent is above largest_exponent")
        if self.teacher == (self.distillation_weight is None):
            raise ValueError("distillation_weight goes with teacher: true, and with nothing else")
        if self.curriculum == (self.frequency is not None):
            raise ValueError("frequency goes with curriculum: false, and with nothing else")
        return self


def steps(settings: Settings) -> dict[str, tuple[str, ...]]:
    """One, on the auxiliary faces that the teacher knows."""
    return {"training": ("auxiliary",)}


def build(settings: Settings, backbone: Model, num_classes: Mapping[str, int]) -> "CrossResolution":
    """The student, and the teacher if there is one, from the backbone, which knows the same auxiliary identities.

    Raises:
        ParameterError: the backbone has no classifier, or the smallest resolution makes none of its images smaller.
    """
    if backbone.facts.head is None or backbone.prototypes is None:
        what = "the student starts with its teacher's classifier, and the backbone has none"
        raise ParameterError(what, remedy="start from a backbone that was trained here; `epochs: 0` gives one a head")
    check_sides([2**settings.smallest_exponent], backbone.embedder.architecture.size, "smallest_exponent")
    head = classifier_of(backbone.facts.head, backbone.prototypes, backbone.bias)
    chance = curriculum if settings.curriculum else fixed_frequency(settings.frequency or 0.0)
    return CrossResolution(settings, backbone.embedder, head, chance)


def feature_distillation(teacher: torch.Tensor, student: torch.Tensor, reduction: Reduction = "sum") -> torch.Tensor:
    """eq 1, second term without lambda: || F_T(x) - F_S(x_lr) ||^2 of features (B, D), reduced."""
    if reduction == "mean":
        return F.mse_loss(student, teacher)
    distances = (teacher - student).square().sum(1)
    return distances.sum() if reduction == "sum" else distances.mean()


def classification(logits: torch.Tensor, labels: torch.Tensor, reduction: Reduction) -> torch.Tensor:
    """eq 1, first term: the cross entropy of logits (B, C) with labels (B,), reduced over the batch."""
    return F.cross_entropy(logits, labels, reduction="sum" if reduction == "sum" else "mean")


def curriculum_probability(step: int, total: int) -> float:
    """The chance that the student sees a down-sampled image: linear from 0 at the first update to 1 at the last."""
    return min(step / max(total - 1, 1), 1.0)


def curriculum(context: StepContext) -> float:
    """:func:`curriculum_probability` at one update of a training."""
    return curriculum_probability(context.step, context.total_steps)


def fixed_frequency(frequency: float) -> Chance:
    """The same chance, 0..1, at every update (section 5, before the curriculum is introduced)."""
    return lambda context: frequency


def draw_resolution(rng: np.random.Generator, smallest: int = 3, largest: int = 8) -> int:
    """A resolution in px: 2^e, e uniform over the integers ``smallest`` ... ``largest`` (section 5: 3 ... 8)."""
    return 2 ** int(rng.integers(smallest, largest + 1))


class CrossResolution(Task):
    """A student at drawn resolutions (section 5); with a teacher, which sees the full resolution, it is Fig. 2.

    Args:
        settings: the variant's.
        student: the embedder, trained in place.
        head: the softmax that the student starts with.
        chance: how likely each image is down-sampled at an update, 0..1.
    """

    def __init__(self, settings: Settings, student: Embedder, head: Head, chance: Chance) -> None:
        super().__init__()
        self.settings, self.chance = settings, chance
        side = min(student.architecture.size)
        self.largest = max(e for e in range(settings.smallest_exponent, settings.largest_exponent + 1) if 2**e < side)
        self.teacher = copy.deepcopy(student).requires_grad_(False).eval() if settings.teacher else None
        self.embedder, self.head = student, head
        if settings.frozen_statistics:
            _freeze_statistics(student)

    def train(self, mode: bool = True) -> "CrossResolution":
        """The teacher stays in evaluation mode."""
        super().train(mode)
        if self.teacher:
            self.teacher.eval()
        return self

    def losses(self, batch: Batch, context: StepContext, optimizer: str) -> Terms:
        """eq 1: cross entropy, and with a teacher lambda times the distillation."""
        (faces,) = batch.values()
        reduction = self.settings.reduction
        features = self.embedder(self._student_view(faces.images, context))
        terms = {"classification": classification(self.head.plain(features), faces.labels, reduction)}
        if self.teacher:
            with torch.no_grad():
                taught = self.teacher(faces.images)
            weight = self.settings.distillation_weight or 0.0
            terms["distillation"] = weight * feature_distillation(taught, features, reduction)
        # The loop averages over the processes, each of which has a part of a sum over the batch
        parts = context.world_size if reduction == "sum" else 1
        return {name: parts * value for name, value in terms.items()}

    def validation_losses(self, faces: Faces) -> Terms:
        """The student's cross entropy, the mean over the faces."""
        return {"classification": F.cross_entropy(self.head.plain(self.embedder(faces.images)), faces.labels)}

    def _student_view(self, images: torch.Tensor, context: StepContext) -> torch.Tensor:
        of_all_processes = range(len(images) * context.world_size)
        drawn = [self._resolution(context) for _ in of_all_processes]
        drawn = drawn[len(images) * context.rank :][: len(images)]
        view = images.clone()
        for resolution in sorted({value for value in drawn if value is not None}):
            rows = [row for row, value in enumerate(drawn) if value == resolution]
            view[rows] = at_resolution(images[rows], resolution)
        return view

    def _resolution(self, context: StepContext) -> int | None:
        """The resolution of one image at an update; None where it stays as it is."""
        rng, settings = context.rng, self.settings
        if rng.random() >= self.chance(context) or rng.random() < settings.full_size_share:
            return None
        return draw_resolution(rng, settings.smallest_exponent, self.largest)


def _freeze_statistics(network: torch.nn.Module) -> None:
    """Batches are normalised by their own statistics, which the running ones, used in deployment, do not follow."""
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.momentum = 0.0
