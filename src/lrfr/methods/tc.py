"""T-C: teacher and curriculum for cross-resolution recognition.

Massoli, Amato & Falchi, "Cross-resolution learning for face recognition", Image and Vision Computing 99, 2020.

Where the paper is silent:

- The paper's teacher was trained with a plain softmax over raw features. Ours comes from ArcFace, whose prototypes
  live on the sphere; so that the student starts as a copy of the *whole* teacher, classifier included, its softmax is
  the cosine one (``NormFace``) with the teacher's scale and prototypes, without a margin.
- eq 1 does not say whether its cross entropy is a sum or a mean; it is the mean, as every framework's default, while
  the distillation term is the sum over the batch that the equation writes.
- The validation loss that the plateau is looked for in is the sum of the cross entropies of the two versions.
"""

import copy
from typing import Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import nn
from torch.nn import functional as F

from lrfr.config import Section
from lrfr.nn.backbones import Embedder
from lrfr.nn.heads import NormFace
from lrfr.nn.task import Moment, Terms
from lrfr.nn.training import Training

TRAINS_ON = "auxiliary"
VALIDATION_RESOLUTION = 24  # px, section 5


class Settings(Section):
    """Lambda of eq 1, the student's softmax scale, and the exponents (of 2) of the drawn resolutions, 3 to 8 as
    published."""

    distillation_weight: float = Field(ge=0)
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


def draw_resolution(rng: np.random.Generator, smallest: int = 3, largest: int = 8) -> int:
    """A resolution in px: 2^e, e uniform over the integers ``smallest`` ... ``largest`` (section 5: 3 ... 8)."""
    return 2 ** int(rng.integers(smallest, largest + 1))


def at_resolution(images: torch.Tensor, resolution: int) -> torch.Tensor:
    """Images (B, C, H, W) shrunk so that their shortest side is ``resolution`` px, and back, bilinear (section 5)."""
    height, width = images.shape[-2:]
    factor = resolution / min(height, width)
    if factor >= 1:
        return images
    size = (max(round(height * factor), 1), max(round(width * factor), 1))
    small = F.interpolate(images, size, mode="bilinear", antialias=True)
    return F.interpolate(small, (height, width), mode="bilinear")


class TeacherAndCurriculum(nn.Module):
    """A frozen teacher at full resolution, and a student, born as its copy, at drawn resolutions (Fig. 2)."""

    def __init__(self, settings: Settings, teacher: Embedder, prototypes: torch.Tensor) -> None:
        super().__init__()
        self.settings = settings
        self.embedder = copy.deepcopy(teacher)
        self.head = NormFace(prototypes.shape[1], len(prototypes), settings.scale)
        self.head.weight.data.copy_(prototypes)
        self.teacher = teacher.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "TeacherAndCurriculum":
        """The teacher stays in evaluation mode."""
        super().train(mode)
        self.teacher.eval()
        return self

    def losses(self, images: torch.Tensor, labels: torch.Tensor, moment: Moment) -> Terms:
        """eq 1: cross entropy, and lambda times the distillation."""
        with torch.no_grad():
            taught = self.teacher(images)
        features = self.embedder(self._student_view(images, moment))
        return {
            "classification": F.cross_entropy(self.head(features, labels), labels),
            "distillation": self.settings.distillation_weight * feature_distillation(taught, features),
        }

    def validation_losses(self, images: torch.Tensor, labels: torch.Tensor) -> Terms:
        """Cross entropy on the two versions of the validation split: 24 px and full resolution."""
        versions = {"24px": at_resolution(images, VALIDATION_RESOLUTION), "full": images}
        return {
            name: F.cross_entropy(self.head(self.embedder(version), labels), labels)
            for name, version in versions.items()
        }

    def parameter_groups(self) -> list[dict[str, object]]:
        """The student and its softmax."""
        return [{"params": [*self.embedder.parameters(), *self.head.parameters()]}]

    def embed(self, images: torch.Tensor) -> torch.Tensor:
        """The student's embeddings (B, D) of images (B, 3, H, W), values 0..1."""
        return self.embedder(images)

    def _student_view(self, images: torch.Tensor, moment: Moment) -> torch.Tensor:
        chance = curriculum_probability(moment.step, moment.total)
        limits = (self.settings.smallest_exponent, self.settings.largest_exponent)
        drawn = [draw_resolution(moment.rng, *limits) if moment.rng.random() < chance else None for _ in images]
        view = images.clone()
        for resolution in sorted({value for value in drawn if value}):
            rows = [row for row, value in enumerate(drawn) if value == resolution]
            view[rows] = at_resolution(images[rows], resolution)
        return view


def build(settings: Settings, pretrained: tuple[Embedder, torch.Tensor], num_classes: int) -> TeacherAndCurriculum:
    """Teacher and student from the pretrained model, which knows the same ``num_classes`` auxiliary identities."""
    embedder, prototypes = pretrained
    return TeacherAndCurriculum(settings, embedder, prototypes)
