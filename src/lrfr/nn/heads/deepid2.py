"""DeepID2: identification and verification (Sun, Chen, Wang & Tang, "Deep Learning Face Representation by Joint
Identification-Verification", NIPS 2014)."""

from typing import Literal

import torch

from lrfr.config import Count, Section, Weight
from lrfr.nn.heads.head import at_least_float32
from lrfr.nn.heads.softmax import Softmax
from lrfr.nn.heads.whole_batch import gathered
from lrfr.nn.training.task import Terms


class DeepID2Settings(Section):
    """Lambda, the weight of the verification, and after how many pairs its margin is set anew."""

    name: Literal["DeepID2"]
    verification_weight: Weight = 0.05
    margin_pairs: Count = 200_000


class DeepID2(Softmax):
    """A plain softmax, and beside it the verification of pairs by their Euclidean distance.

    The paper draws pairs of training faces and does not say how many are genuine. Here they are all pairs of the batch,
    and those of one identity weigh as much as those of two: there are few of the former unless a batch is drawn with
    ``images_per_identity``. The margin m is no parameter, since a gradient would make it 0: after every so many pairs
    it is the distance that told them apart best. Until there were so many, it is that of the first batch.

    Args:
        embedding_dim: D.
        num_classes: C.
        verification_weight: lambda.
        margin_pairs: how many pairs the margin is found on.
    """

    margin: torch.Tensor
    distances: torch.Tensor
    genuine: torch.Tensor
    count: torch.Tensor

    def __init__(
        self, embedding_dim: int, num_classes: int, verification_weight: float = 0.05, margin_pairs: int = 200_000
    ) -> None:
        super().__init__(embedding_dim, num_classes)
        self.verification_weight = verification_weight
        self.register_buffer("margin", torch.tensor(-1.0))  # not known yet
        self.register_buffer("distances", torch.zeros(margin_pairs))
        self.register_buffer("genuine", torch.zeros(margin_pairs, dtype=torch.bool))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def verification_loss(self, distances: torch.Tensor, genuine: torch.Tensor) -> torch.Tensor:
        """eq 2, with the L2 norm: d^2 / 2 of genuine pairs, max(0, m - d)^2 / 2 of impostors, by their distances (P,).

        The mean over the genuine pairs and the mean over the impostors count half each.
        """
        terms = torch.where(genuine, distances, (self.margin - distances).clamp_min(0)).square() / 2
        return (_mean(terms, genuine) + _mean(terms, ~genuine)) / 2

    @torch.no_grad()
    def update_margin(self, distances: torch.Tensor, genuine: torch.Tensor) -> None:
        """Counts pairs (P,) in; where they are enough, the margin is set anew, and the counting begins again."""
        start = int(self.count)
        end = min(start + len(distances), len(self.distances))
        self.distances[start:end], self.genuine[start:end] = distances[: end - start], genuine[: end - start]
        self.count.fill_(end)
        if end == len(self.distances):
            self.margin.copy_(best_threshold(self.distances, self.genuine))
            self.count.zero_()

    def losses(self, embedding: torch.Tensor, labels: torch.Tensor) -> Terms:
        """Cross entropy, and lambda times the verification loss; in training mode the pairs are then counted in."""
        (faces,), people = at_least_float32(gathered(embedding)), gathered(labels)
        first, second = torch.triu_indices(len(people), len(people), 1, device=people.device)
        distances = torch.linalg.vector_norm(faces[first] - faces[second], dim=1)
        genuine = people[first] == people[second]
        if self.training and self.margin < 0 and len(distances):
            self.margin.copy_(best_threshold(distances.detach(), genuine))
        verification = self.verification_weight * self.verification_loss(distances, genuine)
        if self.training:
            self.update_margin(distances, genuine)
        return super().losses(embedding, labels) | {"verification": verification}


def best_threshold(distances: torch.Tensor, genuine: torch.Tensor) -> torch.Tensor:
    """The distance, a scalar, that tells genuine pairs from impostors with the fewest errors; a pair at it is accepted.

    Both kinds weigh the same, however many pairs (P,) there are of each. It is 0 where accepting none is best.
    """
    ordered, order = distances.sort()
    accepted = genuine[order].long().cumsum(0)
    impostors = torch.arange(1, len(ordered) + 1, device=ordered.device) - accepted
    gained = accepted * impostors[-1].clamp_min(1) - impostors * accepted[-1].clamp_min(1)  # exact ties
    is_last = torch.ones_like(genuine)
    is_last[:-1] = ordered[1:] != ordered[:-1]  # of equal distances all are accepted, or none
    gained = gained.masked_fill(~is_last, -1)
    best = gained.argmax()
    return torch.where(gained[best] > 0, ordered[best], torch.zeros_like(ordered[best]))


def _mean(values: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    """The mean of the chosen values (P,); 0 where none is."""
    return torch.where(chosen, values, 0).sum() / chosen.sum().clamp_min(1)
