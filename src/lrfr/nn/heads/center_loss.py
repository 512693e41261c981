"""Center loss beside a softmax (Wen et al., "A Discriminative Feature Learning Approach for Deep Face Recognition",
ECCV 2016), which CentreFace is trained with."""

from typing import Literal

import torch
from pydantic import Field

from lrfr.config import Section, Weight
from lrfr.nn.heads.head import at_least_float32
from lrfr.nn.heads.softmax import Softmax
from lrfr.nn.heads.whole_batch import identities_present, summed_over_processes
from lrfr.nn.training.task import Terms


class CenterLossSettings(Section):
    """Lambda, the term's weight, and alpha, how far the centres move in an update."""

    name: Literal["CenterLoss"]
    center_weight: Weight = 0.003
    center_rate: float = Field(0.5, ge=0, le=1)


class CenterLoss(Softmax):
    """A plain softmax, and beside it the squared distance of every embedding to the centre of its identity.

    The centres are no parameters: they move by the paper's own rule (eq 4), by alpha of the mean step, whatever the
    optimiser and its learning rate. The paper leaves their start open: it is the origin. Its softmax has a bias; a bias
    would be left behind with the head, and has been left out. Both of its sums over the batch are means here.

    Args:
        embedding_dim: D.
        num_classes: C.
        center_weight: lambda.
        center_rate: alpha.
    """

    centers: torch.Tensor

    def __init__(
        self, embedding_dim: int, num_classes: int, center_weight: float = 0.003, center_rate: float = 0.5
    ) -> None:
        super().__init__(embedding_dim, num_classes)
        self.center_weight, self.center_rate = center_weight, center_rate
        self.register_buffer("centers", torch.zeros(num_classes, embedding_dim))

    def center_loss(self, embedding: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """eq 2, but for the mean: half the squared distance of embeddings (B, D) to the centres of ``labels`` (B,)."""
        embedding, centers = at_least_float32(embedding, self.centers)
        return (embedding - centers[labels]).square().sum(1).mean() / 2

    @torch.no_grad()
    def update_centers(self, embedding: torch.Tensor, labels: torch.Tensor) -> None:
        """eq 4: a centre moves by -alpha * sum(c - x) / (1 + n), over the n faces of its identity in the batch."""
        present = identities_present(labels, len(self.centers))
        away = self.centers[labels] - embedding.to(self.centers.dtype)
        counted = torch.cat([away, torch.ones_like(away[:, :1])], 1)
        sums = counted.new_zeros(len(present), counted.shape[1])
        sums = summed_over_processes(sums.index_add_(0, torch.searchsorted(present, labels), counted))
        self.centers[present] -= self.center_rate * sums[:, :-1] / (1 + sums[:, -1:])

    def losses(self, embedding: torch.Tensor, labels: torch.Tensor) -> Terms:
        """Cross entropy, and lambda times the centre loss; in training mode the centres then move."""
        center = self.center_weight * self.center_loss(embedding, labels)
        terms = super().losses(embedding, labels) | {"center": center}
        if self.training:
            self.update_centers(embedding, labels)
        return terms
