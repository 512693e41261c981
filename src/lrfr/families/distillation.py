"""RIFR's family: one network for high resolution and low, alone or under a teacher that knows the high one.

Khalid et al., "Resolution Invariant Face Recognition using a Distillation Approach", IEEE Transactions on Biometrics,
Behavior, and Identity Science 2(4), 2020, section III. The variants differ in what the student sees (HR images, LR
versions of them, both), in its targets (the true labels, or the teacher's probabilities), and in whether its softmax is
shared with the teacher's features.

Where the paper is silent:

- The softmax has no margin and no other loss beside it: of whatever head the pretraining had, the plain logits are
  used, w z of ``Softmax``, s cos(theta) of the cosine heads. The teacher's probabilities are those of the softmax that
  it was pretrained with, so ``head`` repeats the pretraining's.
- Where the student starts is a setting. A learning rate of 0.1 over 65 epochs speaks for a new network with a new
  softmax (``fresh``); a short training goes on from the teacher's weights and prototypes (``teacher``).
- Every HR image brings each of its LR versions, so an image counts as often as it has versions; the term of the
  teacher's features is the same for all of them. ``batch_size`` counts HR images.
- LR versions are shrunk with an antialiased bicubic filter and enlarged as the deployed model enlarges; the paper's
  are enlarged bicubic, which is ``preprocessing.interpolation``. Their shortest side is the face's width.
"""

import copy
from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import Field, PositiveInt, field_validator
from torch import nn
from torch.nn import functional as F

from lrfr.config import Section
from lrfr.nn.embedder import Embedder
from lrfr.nn.heads import Head, HeadSettings, PartialFC, build_head
from lrfr.nn.resolution import at_resolution, check_sides
from lrfr.nn.training.settings import Training
from lrfr.nn.training.task import Batch, Faces, StepContext, Task, Terms


class StudentSettings(Section):
    """The softmax, which is the pretraining's head; where the student starts; and the training."""

    head: HeadSettings
    student: Literal["teacher", "fresh"]
    training: Training

    @field_validator("head")
    @classmethod
    def _is_whole(cls, head: HeadSettings) -> HeadSettings:
        if getattr(head, "sample_rate", 1) < 1:
            raise ValueError("a softmax over drawn identities has no probabilities of all: leave sample_rate out")
        return head


class LowResolutionSettings(StudentSettings):
    """The student's, and the face ``widths`` of its LR versions, px; 20 and 16 as published."""

    widths: list[PositiveInt] = Field(min_length=1)


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
        teacher_probabilities: q_pre, (B, C): the softmax of w_pre z_pre; gets no gradient.
    """
    targets = teacher_probabilities.detach()
    return target_cross_entropy(student_logits, targets) + target_cross_entropy(shared_teacher_logits, targets)


class Teacher(nn.Module):
    """The pretrained network with its own softmax: frozen, always in evaluation mode, fed HR images alone."""

    def __init__(self, embedder: Embedder, head: Head | PartialFC) -> None:
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
        settings: the student's.
        pretrained: the teacher and its prototypes (C, D), of the same identities.
        high_resolution: whether the student sees the HR images.
        widths: face widths of the LR versions that it sees, px.
        soft_targets: whether the targets are the teacher's probabilities (the KL loss) and not the labels.
        shared_softmax: whether the student's softmax learns from the teacher's features too.
    """

    def __init__(
        self,
        settings: StudentSettings,
        pretrained: tuple[Embedder, torch.Tensor],
        *,
        high_resolution: bool = True,
        widths: Sequence[int] = (),
        soft_targets: bool = False,
        shared_softmax: bool = False,
    ) -> None:
        super().__init__()
        teacher, prototypes = pretrained
        self.high_resolution, self.widths = high_resolution, check_sides(widths, teacher.architecture.size, "widths")
        self.soft_targets, self.shared_softmax = soft_targets, shared_softmax
        fresh = settings.student == "fresh"
        self.embedder = Embedder(teacher.architecture) if fresh else copy.deepcopy(teacher)
        self.head = build_head(settings.head, prototypes.shape[1], len(prototypes))
        own = copy.deepcopy(self.head)
        own.weight.data.copy_(prototypes)
        if not fresh:
            self.head.weight.data.copy_(prototypes)
        self.teacher = Teacher(teacher, own) if soft_targets or shared_softmax else None

    def losses(self, batch: Batch, context: StepContext, optimizer: str) -> Terms:
        """eq 3, by its two terms, or those of them that the variant has; eq 1 without a teacher."""
        (faces,) = batch.values()
        terms, targets = {}, faces.labels
        if self.teacher:
            taught, probabilities = self.teacher(faces.images)
            targets = probabilities if self.soft_targets else faces.labels
            if self.shared_softmax:
                terms["shared_teacher"] = target_cross_entropy(self.head.plain(taught), targets)
        features = self.embedder(self._versions(faces.images))
        every_versions = torch.cat([targets] * (len(features) // len(targets)))
        return {"student": target_cross_entropy(self.head.plain(features), every_versions)} | terms

    def validation_losses(self, faces: Faces) -> Terms:
        """The student's cross entropy with the true labels."""
        logits = self.head.plain(self.embedder(faces.images))
        return {"classification": target_cross_entropy(logits, faces.labels)}

    def _versions(self, images: torch.Tensor) -> torch.Tensor:
        """What the student sees of HR images (B, 3, H, W): (V B, 3, H, W), one version of all after another."""
        up = self.embedder.architecture.preprocessing.interpolation
        versions = [images] if self.high_resolution else []
        return torch.cat(versions + [at_resolution(images, width, "bicubic", up=up) for width in self.widths])
