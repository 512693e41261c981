"""T-C: teacher and curriculum for cross-resolution recognition, and its halves.

Massoli, Amato & Falchi, "Cross-resolution learning for face recognition", Image and Vision Computing 99, 2020. Two
settings make the variants: ``teacher`` (a frozen network that sees the full resolution supervises the student's
features) and ``curriculum`` (how often the student's images are down-sampled rises; without, it is a fixed frequency).
Both are T-C, neither is the paper's nT-nC; the paper gives no results of the two halves.

Where the paper is silent:

- The student starts as a copy of the whole teacher, classifier included: its softmax has the teacher's kind, scale and
  prototypes, without a margin. So it is without a teacher.
- eq 1 does not say whether its cross entropy is a sum or a mean; it is the mean, as every framework's default, while
  the distillation term is the sum over the batch that the equation writes.
- nT-nC's fixed frequency is not given; half of the images is what the curriculum comes to over a whole training.
- The validation loss that the plateau is looked for in is the sum of the cross entropies at the two resolutions
  (params.yaml: 24 px and full).
"""

import copy
from collections.abc import Callable, Mapping
from typing import Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch.nn import functional as F

from lrfr.config import Section, Weight
from lrfr.errors import ParameterError
from lrfr.nn.embedder import Embedder
from lrfr.nn.heads import Head, classifier_of
from lrfr.nn.model_file import Model
from lrfr.nn.resolution import at_resolution
from lrfr.nn.training.settings import Training
from lrfr.nn.training.task import Batch, Faces, StepContext, Task, Terms

Chance = Callable[[StepContext], float]


class Settings(Section):
    """The variant, and the training.

    Attributes:
        teacher: whether a teacher supervises the features.
        distillation_weight: lambda of eq 1; 0.1 as published. With a teacher only.
        curriculum: whether the chance of a down-sampled image rises from 0 to 1.
        frequency: that chance, 0..1, where there is no curriculum.
        smallest_exponent: of 2, of the drawn resolutions; 3 as published.
        largest_exponent: likewise; 8 as published.
        training: of the student.
    """

    teacher: bool
    distillation_weight: Weight | None = None
    curriculum: bool
    frequency: float | None = Field(default=None, ge=0, le=1)
    smallest_exponent: int = Field(ge=2, le=8)
    largest_exponent: int = Field(ge=2, le=8)
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
        ParameterError: the backbone has no classifier.
    """
    if backbone.facts.head is None or backbone.prototypes is None:
        what = "the student starts with its teacher's classifier, and the backbone has none"
        raise ParameterError(what, remedy="start from a backbone that was trained here; `epochs: 0` gives one a head")
    head = classifier_of(backbone.facts.head, backbone.prototypes)
    chance = curriculum if settings.curriculum else fixed_frequency(settings.frequency or 0.0)
    return CrossResolution(settings, backbone.embedder, head, chance)


def feature_distillation(teacher: torch.Tensor, student: torch.Tensor) -> torch.Tensor:
    """eq 1, second term without lambda: the sum over the batch of || F_T(x) - F_S(x_lr) ||^2, of features (B, D)."""
    return (teacher - student).square().sum()


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
        self.teacher = copy.deepcopy(student).requires_grad_(False).eval() if settings.teacher else None
        self.embedder, self.head = student, head

    def train(self, mode: bool = True) -> "CrossResolution":
        """The teacher stays in evaluation mode."""
        super().train(mode)
        if self.teacher:
            self.teacher.eval()
        return self

    def losses(self, batch: Batch, context: StepContext, optimizer: str) -> Terms:
        """eq 1: cross entropy, and with a teacher lambda times the distillation."""
        (faces,) = batch.values()
        features = self.embedder(self._student_view(faces.images, context))
        terms = {"classification": F.cross_entropy(self.head.plain(features), faces.labels)}
        if self.teacher:
            with torch.no_grad():
                taught = self.teacher(faces.images)
            # A sum over the batch, of which this process has a part
            weight = (self.settings.distillation_weight or 0.0) * context.world_size
            terms["distillation"] = weight * feature_distillation(taught, features)
        return terms

    def validation_losses(self, faces: Faces) -> Terms:
        """The student's cross entropy."""
        return {"classification": F.cross_entropy(self.head.plain(self.embedder(faces.images)), faces.labels)}

    def _student_view(self, images: torch.Tensor, context: StepContext) -> torch.Tensor:
        chance, rng = self.chance(context), context.rng
        limits = (self.settings.smallest_exponent, self.settings.largest_exponent)
        of_all_processes = range(len(images) * context.world_size)
        drawn = [draw_resolution(rng, *limits) if rng.random() < chance else 0 for _ in of_all_processes]
        drawn = drawn[len(images) * context.rank :][: len(images)]
        view = images.clone()
        for resolution in sorted({value for value in drawn if value}):
            rows = [row for row, value in enumerate(drawn) if value == resolution]
            view[rows] = at_resolution(images[rows], resolution)
        return view
