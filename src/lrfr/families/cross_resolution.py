"""T-C's family: a pretrained network goes on learning with images at drawn resolutions.

Massoli, Amato & Falchi, "Cross-resolution learning for face recognition", Image and Vision Computing 99, 2020. Two
things make the variants: how often an image is down-sampled (a curriculum, or a fixed frequency), and whether a frozen
teacher that sees the full resolution supervises the features.

Where the paper is silent:

- The paper's teacher was trained with a plain softmax over raw features. Ours comes from ArcFace, whose prototypes
  live on the sphere; so that the student starts as a copy of the *whole* teacher, classifier included, its softmax is
  the cosine one (``NormFace``) with the teacher's scale and prototypes, without a margin. So it is without a teacher.
- eq 1 does not say whether its cross entropy is a sum or a mean; it is the mean, as every framework's default, while
  the distillation term is the sum over the batch that the equation writes.
- The validation loss that the plateau is looked for in is the sum of the cross entropies at the two resolutions
  (params.yaml: 24 px and full).
"""

from collections.abc import Callable
from typing import Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch.nn import functional as F

from lrfr.config import Section
from lrfr.nn.embedder import Embedder
from lrfr.nn.heads import NormFace
from lrfr.nn.resolution import at_resolution
from lrfr.nn.training.settings import Training
from lrfr.nn.training.task import Batch, Faces, StepContext, Task, Terms


class StudentSettings(Section):
    """The student's softmax scale, and the exponents (of 2) of the drawn resolutions, 3 to 8 as published."""

    scale: float = Field(gt=0)
    smallest_exponent: int = Field(ge=2)
    largest_exponent: int = Field(le=8)
    training: Training

    @model_validator(mode="after")
    def _exponents_are_in_order(self) -> Self:
        if self.smallest_exponent > self.largest_exponent:
            raise ValueError("smallest_exponent is above largest_exponent")
        return self


def feature_distillation(teacher: torch.Tensor, student: torch.Tensor) -> torch.Tensor:
    """eq 1, second term without lambda: the sum over the batch of || F_T(x) - F_S(x_lr) ||^2, of features (B, D)."""
    return (teacher - student).square().sum()


def curriculum_probability(step: int, total: int) -> float:
    """The chance that the student sees a down-sampled image: linear from 0 at the first update to 1 at the last."""
    return min(step / max(total - 1, 1), 1.0)


def curriculum(context: StepContext) -> float:
    """:func:`curriculum_probability` at a context of the training."""
    return curriculum_probability(context.step, context.total_steps)


def fixed_frequency(frequency: float) -> Callable[[StepContext], float]:
    """The same chance, 0..1, at every context (section 5, before the curriculum is introduced)."""
    return lambda context: frequency


def draw_resolution(rng: np.random.Generator, smallest: int = 3, largest: int = 8) -> int:
    """A resolution in px: 2^e, e uniform over the integers ``smallest`` ... ``largest`` (section 5: 3 ... 8)."""
    return 2 ** int(rng.integers(smallest, largest + 1))


class CrossResolution(Task):
    """A student at drawn resolutions (section 5); with a teacher, which sees the full resolution, it is Fig. 2.

    Args:
        settings: the student's.
        student: the pretrained embedder, trained in place.
        prototypes: (C, D), the pretrained softmax that the student starts from.
        chance: how likely each image is down-sampled at a context, 0..1.
        teacher: another copy of the pretrained embedder, which is frozen; None for cross entropy alone.
        distillation_weight: lambda of eq 1; of no meaning without a teacher.
    """

    def __init__(
        self,
        settings: StudentSettings,
        student: Embedder,
        prototypes: torch.Tensor,
        chance: Callable[[StepContext], float],
        teacher: Embedder | None = None,
        distillation_weight: float = 0.0,
    ) -> None:
        super().__init__()
        self.settings, self.chance, self.distillation_weight = settings, chance, distillation_weight
        self.embedder = student
        self.head = NormFace(prototypes.shape[1], len(prototypes), settings.scale)
        self.head.weight.data.copy_(prototypes)
        self.teacher = teacher.requires_grad_(False).eval() if teacher else None

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
        terms = {"classification": F.cross_entropy(self.head(features, faces.labels), faces.labels)}
        if self.teacher:
            with torch.no_grad():
                taught = self.teacher(faces.images)
            # A sum over the batch, of which this process has a part
            weight = self.distillation_weight * context.world_size
            terms["distillation"] = weight * feature_distillation(taught, features)
        return terms

    def validation_losses(self, faces: Faces) -> Terms:
        """The student's cross entropy."""
        return {"classification": F.cross_entropy(self.head(self.embedder(faces.images), faces.labels), faces.labels)}

    def _student_view(self, images: torch.Tensor, context: StepContext) -> torch.Tensor:
        chance = self.chance(context)
        limits = (self.settings.smallest_exponent, self.settings.largest_exponent)
        everybodys = len(images) * context.world_size
        drawn = [
            draw_resolution(context.rng, *limits) if context.rng.random() < chance else 0 for _ in range(everybodys)
        ]
        drawn = drawn[len(images) * context.rank :][: len(images)]
        view = images.clone()
        for resolution in sorted({value for value in drawn if value}):
            rows = [row for row, value in enumerate(drawn) if value == resolution]
            view[rows] = at_resolution(images[rows], resolution)
        return view
