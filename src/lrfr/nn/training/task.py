"""What the training loop asks of a method, and of the pretraining."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:  # landmarks are trained by the same loop, and know no embedder
    from lrfr.nn.batches.images import FaceImages
    from lrfr.nn.embedder import Embedder
    from lrfr.nn.trained import TrainedPart

Terms = dict[str, torch.Tensor]
Optimizers = Mapping[str, torch.optim.Optimizer]


@dataclass(frozen=True)
class Faces:
    """Faces with the numbers of their identities, or with what else is learnt of them.

    Attributes:
        images: RGB (B, 3, H, W), values 0..1.
        labels: (B,) int64, counted within the collection that they come from; landmarks: (B, 10) float32, px.
    """

    images: torch.Tensor
    labels: torch.Tensor


Batch = Mapping[str, Faces]  # by collection: "auxiliary" (HR), "native" (LR)


@dataclass(frozen=True)
class StepContext:
    """Where a training stands: one of its updates.

    Attributes:
        step: the update's number, from 0.
        total_steps: how many updates there are in all.
        rng: this update's own randomness, the same in all processes. What is drawn for each image is drawn for the
            whole batch, and each process takes its part: so the draws do not depend on how many there are.
        world_size: how many processes share the batch. The loop averages the loss terms over them, so a term that is a
            sum over the batch, and not a mean, has to be multiplied by it.
        rank: which of the batch's parts, all of one size, this process has, from 0.
    """

    step: int
    total_steps: int
    rng: np.random.Generator
    world_size: int = 1
    rank: int = 0


class Task(nn.Module):
    """A module with named loss terms; the loop adds them up and knows no method.

    Most tasks have the one optimiser named ``main``; adversarial ones have several, which take turns.
    """

    embedder: "Embedder"
    starts_from_backbone = True  # else its embedder has other weights than the backbone's from the start
    part: "TrainedPart | None" = None  # of its embedder's backbone; None: all of it, as far as a step trains it
    unrecognizable: "FaceImages | None" = None  # faces that nobody recognises, presented as its own, where it asks
    paired = False  # whether its collections show the same faces, row by row, and an update draws them alike

    def begin(self, step: str) -> None:
        """What is trained in a step, by its name, and by which losses; called before each, whose optimisers are new."""

    def losses(self, batch: Batch, context: StepContext, optimizer: str) -> Terms:
        """The loss terms, scalars with their weights, that the optimiser of that name minimises in one update."""
        raise NotImplementedError

    def validation_losses(self, faces: Faces) -> Terms:
        """Mean losses (scalars) of validation faces at one resolution, as the deployed model would be judged."""
        raise NotImplementedError

    def parameter_groups(self) -> dict[str, list[dict[str, object]]]:
        """The parameter groups of each optimiser by its name."""
        return {"main": [{"params": [value for value in self.parameters() if value.requires_grad]}]}

    def turns(self, step: int) -> Sequence[str]:
        """The names of the optimisers whose turn it is at an update, in order."""
        return tuple(self.parameter_groups())

    def before_update(self, batch: Batch, context: StepContext, optimizers: Optimizers) -> None:
        """What must be in place before the losses are computed."""

    def after_update(self, optimizers: Optimizers) -> None:
        """What follows when all optimisers have had their turn."""

    def observed(self) -> Terms:
        """What the latest :meth:`losses` show beside them, scalars for the curves that nothing minimises."""
        return {}

    def watch(self, values: Mapping[str, float], step: int) -> None:
        """Sees all values of an update, as the curves name them and the same in all processes.

        Raises:
            TrainingError: it makes no sense to go on.
        """

    def end_epoch(self, step: int) -> np.ndarray | None:
        """What follows an epoch, after ``step`` updates; a picture of what is made so far, RGB (H, W, 3), uint8, where
        something is."""

    def embed(self, images: torch.Tensor) -> torch.Tensor:
        """RGB images (B, 3, H, W), values 0..1, to embeddings (B, D)."""
        return self.embedder(images)
