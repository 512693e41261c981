"""What the training loop asks of a method, and of the pretraining."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from lrfr.nn.backbones import Embedder

Terms = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Moment:
    """Where the training stands: the update's number, how many there are in all, and this update's own randomness."""

    step: int
    total: int
    rng: np.random.Generator


class Task(Protocol):
    """A module with named loss terms; the loop adds them up and knows no method.

    Images are RGB (B, 3, H, W), values 0..1; labels (B,) int64; loss terms are scalars, weights included.
    """

    def losses(self, images: torch.Tensor, labels: torch.Tensor, moment: Moment) -> Terms:
        """The loss terms of one update."""
        ...

    def validation_losses(self, images: torch.Tensor, labels: torch.Tensor) -> Terms:
        """A mean loss per version of the validation images; a plateau schedule watches their sum."""
        ...

    def parameter_groups(self) -> list[dict[str, object]]:
        """What is trained, as groups for the optimiser."""
        ...


class Method(Task, Protocol):
    """A task that ends in an embedding."""

    embedder: Embedder

    def embed(self, images: torch.Tensor) -> torch.Tensor:
        """Images (B, 3, H, W) to embeddings (B, D)."""
        ...
