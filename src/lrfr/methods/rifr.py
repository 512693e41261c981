"""RIFR: resolution-invariant face recognition by a KL loss and a softmax that student and teacher share.

Khalid et al., "Resolution Invariant Face Recognition using a Distillation Approach", IEEE Transactions on Biometrics,
Behavior, and Identity Science 2(4), 2020, section III, and its baselines and ablation rows (III-A, IV-A). Settings make
the variants:

=============  ================  =========  ==========  =========
row            high_resolution   widths     targets     softmax
=============  ================  =========  ==========  =========
RIFR           true              [20, 16]   teacher     shared
KL loss only   true              [20, 16]   teacher     own
shared only    true              [20, 16]   labels      shared
HR + LR        true              [20, 16]   labels      own
LR only        false             [20, 16]   labels      own
HR only        true              []         labels      own
=============  ================  =========  ==========  =========

Where the paper is silent:

- The softmax has no margin and no other loss beside it: of whatever head the backbone was trained with, the plain
  logits are used, w z of ``Softmax``, s cos(theta) of the cosine heads. The teacher's probabilities are those of the
  softmax that it was trained with, and the student's softmax is of the same kind.
- Where the student starts is a setting. A learning rate of 0.1 over 65 epochs speaks for a new network with a new
  softmax (``fresh``); a short training goes on from the teacher's weights and prototypes (``teacher``).
- Every HR image brings each of its LR versions, so an image counts as often as it has versions; the term of the
  teacher's features is the same for all of them. ``batch_size`` counts HR images.
- LR versions are shrunk with an antialiased bicubic filter and enlarged as the deployed model enlarges; the paper's
  are enlarged bicubic, which is ``preprocessing.interpolation``. Their shortest side is the face's width.
"""

import copy
from collections.abc import Mapping
from typing import Literal, Self

import torch
from pydantic import model_validator
from torch import nn
from torch.nn import functional as F

from lrfr.config import Pixels, Section
from lrfr.errors import ParameterError
from lrfr.nn.embedder import Embedder
from lrfr.nn.heads import Head, classifier_of
from lrfr.nn.model_file import Model
from lrfr.nn.resolution import at_resolution, check_sides
from lrfr.nn.training.settings import Training
from lrfr.nn.training.task import Batch, Faces, StepContext, Task, Terms


class Settings(Section):
    """The variant, and the training.

    Attributes:
        high_resolution: whether the student sees the HR images.
        widths: face widths of the LR versions that it sees, px; 20 and 16 as published.
        targets: the ``teacher``'s probabilities (the KL loss), or the true ``labels``.
        softmax: whether the student's softmax learns from the teacher's features too (``shared``).
        student: where the student starts: as its ``teacher``, or ``fresh``.
        training: of the student.
    """

    high_resolution: bool
    widths: list[Pixels]
    targets: Literal["teacher", "labels"]
    softmax: Literal["shared", "own"]
    student: Literal["teacher", "fresh"]
    training: Training

    @model_validator(mode="after")
    def _sees_something(self) -> Self:
        if not self.high_resolution and not self.widths:
            raise ValueError("the student sees no image: give widths, or high_resolution: true")
        return self


def steps(settings: Settings) -> dict[str, tuple[str, ...]]:
    """One, on the auxiliary faces that the teacher knows."""
    return {"training": ("auxiliary",)}


def build(settings: Settings, backbone: Model, num_classes: Mapping[str, int]) -> "Distillation":
    """The student, and the backbone as its teacher.

    Raises:
        ParameterError: the backbone has no classifier.
    """
    return Distillation(settings, backbone)


def target_cross_entropy(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """- sum_k q[k] log p[k], averaged over the batch: one term of eq 3, or eq 1.

    Args:
        logits: (B, C), whose softmax is p.
        targets: q, probabilities (B, C), or the labels (B,) int64 where they are hard.
    """
    return F.cross_entropy(logits, targets)


def distillation_loss(
    student_logits: torch.Tensor, shared_teacher_logits: torch.Tensor, teacher_probabilities: torch.Tensor
) -> torch.Tensor:
    """eq 3: - sum_k q_pre[k] log p_t[k] - sum_k q_pre[k] log p_pre[k], averaged over the batch.

    As printed, eq 2 and 3 lack the minus signs; with them the gradients are those of eq 4, p_t - q_pre and
    p_pre - q_pre on an input's logits (divided by B here). The entropy of q_pre, C in eq 3, is left out: no weight
    changes it.

    Args:
        student_logits: w z_t, (B, C), of HR images and LR versions.
        shared_teacher_logits: w z_pre, (B, C), of the HR image of each; w is the student's softmax.
        teacher_probabilities: q_pre, (B, C): the softmax of w_pre z_pre, which gets no gradient; the labels (B,) int64
            in the row "shared only".
    """
    targets = teacher_probabilities.detach()
    return target_cross_entropy(student_logits, targets) + target_cross_entropy(shared_teacher_logits, targets)


class Teacher(nn.Module):
    """The pretrained network with its own softmax: frozen, always in evaluation mode, fed HR images alone."""

    def __init__(self, embedder: Embedder, head: Head) -> None:
        super().__init__()
        self.embedder, self.head = embedder, head
        self.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "Teacher":
        """Stays in evaluation mode."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """z_pre (B, D) and q_pre (B, C) of HR images (B, 3, H, W), values 0..1."""
        features = self.embedder(images)
        return features, self.head.plain(features).softmax(1)


class Distillation(Task):
    """A student on HR images and LR versions of them in one batch (section III; Fig. 4 with both of its mechanisms).

    Args:
        settings: the variant's.
        backbone: the teacher, with its prototypes (C, D) of the same identities.

    Raises:
        ParameterError: the backbone has no classifier.
    """

    def __init__(self, settings: Settings, backbone: Model) -> None:
        super().__init__()
        teacher, prototypes = backbone.embedder, backbone.prototypes
        if backbone.facts.head is None or prototypes is None:
            what = "the student's softmax is of its teacher's kind, and the backbone has no classifier"
            raise ParameterError(what, remedy="start from a backbone trained here; `epochs: 0` gives one a head")
        self.settings = settings
        check_sides(settings.widths, teacher.architecture.size, "widths")
        fresh = settings.student == "fresh"
        self.embedder = Embedder(teacher.architecture) if fresh else copy.deepcopy(teacher)
        own = classifier_of(backbone.facts.head, prototypes, backbone.bias)
        self.head = copy.deepcopy(own)
        if fresh:
            nn.init.normal_(self.head.weight, std=0.01)
            bias = getattr(self.head, "bias", None)
            if isinstance(bias, nn.Parameter):
                nn.init.zeros_(bias)
        teaches = settings.targets == "teacher" or settings.softmax == "shared"
        self.teacher = Teacher(teacher, own) if teaches else None

    def losses(self, batch: Batch, context: StepContext, optimizer: str) -> Terms:
        """eq 3, or those of its terms that the variant has; eq 1 without a teacher."""
        (faces,) = batch.values()
        features = self.embedder(self._versions(faces.images))
        logits, labels = self.head.plain(features), _repeated(faces.labels, len(features))
        if self.teacher is None:
            return {"classification": target_cross_entropy(logits, labels)}
        taught, probabilities = self.teacher(faces.images)
        targets = _repeated(probabilities, len(features)) if self.settings.targets == "teacher" else labels
        if self.settings.softmax == "own":
            return {"distillation": target_cross_entropy(logits, targets)}
        return {"distillation": distillation_loss(logits, _repeated(self.head.plain(taught), len(features)), targets)}

    def validation_losses(self, faces: Faces) -> Terms:
        """The student's cross entropy with the true labels."""
        logits = self.head.plain(self.embedder(faces.images))
        return {"classification": target_cross_entropy(logits, faces.labels)}

    def _versions(self, images: torch.Tensor) -> torch.Tensor:
        """What the student sees of HR images (B, 3, H, W): (V B, 3, H, W), one version of all after another."""
        up = self.embedder.architecture.preprocessing.interpolation
        versions = [images] if self.settings.high_resolution else []
        widths = self.settings.widths
        return torch.cat(versions + [at_resolution(images, width, "bicubic", up=up) for width in widths])


def _repeated(values: torch.Tensor, count: int) -> torch.Tensor:
    """Values (B, ...) of the HR images once for each version: (V B, ...)."""
    return torch.cat([values] * (count // len(values)))
