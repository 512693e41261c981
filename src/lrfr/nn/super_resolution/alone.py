"""Super-resolution for its own sake."""

from collections.abc import Sequence

import torch

from lrfr.nn.resolution import at_resolution
from lrfr.nn.super_resolution.loss import sr_loss
from lrfr.nn.super_resolution.pairs import low_resolution_pairs
from lrfr.nn.super_resolution.resolver import SuperResolver
from lrfr.nn.training.task import Batch, Faces, StepContext, Task, Terms


class SuperResolving(Task):
    """A super-resolution network trained alone, on LR/HR pairs made of HR faces; nobody is recognised.

    Args:
        resolver: is trained in place; training images have its size.
        sides: the shortest sides, px, to which LR partners are shrunk.
    """

    def __init__(self, resolver: SuperResolver, sides: Sequence[int]) -> None:
        super().__init__()
        self.resolver, self.sides = resolver, sides

    def losses(self, batch: Batch, context: StepContext, optimizer: str) -> Terms:
        """CSRI's equation 1, for pairs at drawn resolutions."""
        (faces,) = batch.values()
        return self._loss(low_resolution_pairs(faces.images, self.sides, "bicubic", context), faces.images)

    def validation_losses(self, faces: Faces) -> Terms:
        """The same, averaged over all resolutions."""
        each = [
            self._loss(at_resolution(faces.images, side, "bicubic", "bicubic"), faces.images) for side in self.sides
        ]
        return {name: torch.stack([terms[name] for terms in each]).mean() for name in each[0]}

    def _loss(self, lr: torch.Tensor, hr: torch.Tensor) -> Terms:
        return {"super_resolution": sr_loss(self.resolver.network(lr), hr)}
