"""Partial FC (An et al., "Killing Two Birds with One Stone: Efficient and Robust Training of Face Recognition CNNs by
Partial FC", CVPR 2022): of a million identities an update sees its own and a drawn part of the others."""

import math

import numpy as np
import torch
from torch import nn

from lrfr.errors import ParameterError
from lrfr.nn.heads.head import Head
from lrfr.nn.heads.whole_batch import identities_present
from lrfr.nn.training.task import Optimizers, Terms


class PartialFC(nn.Module):
    """A head over the identities that each update draws; the prototypes of all wait in the buffer ``weight`` (C, D).

    Before an update :meth:`draw` brings the rows of the drawn identities into the inner head, each with its own
    optimiser state (momentum, say); after it :meth:`write_back` returns them. Rows that were not drawn have no
    gradient, no weight decay and no step. What an optimiser keeps once for a whole parameter, as Adam its number of
    steps, stays so. The draw depends on the update's number and on a saved seed, on nothing else.

    With several processes each holds all prototypes, and all draw the same identities: their copies stay equal, but
    memory does not shrink with the number of processes, as it does where prototypes are divided among them.

    Args:
        head: one over as many classes as are drawn, S; any but the one with centres, which counts by identity.
        num_classes: C.
    """

    weight: torch.Tensor
    classes: torch.Tensor
    seed: torch.Tensor

    def __init__(self, head: Head, num_classes: int) -> None:
        super().__init__()
        self.head = head
        drawn, embedding_dim = head.weight.shape
        self.register_buffer("weight", nn.init.normal_(torch.empty(num_classes, embedding_dim), std=0.01))
        self.register_buffer("classes", torch.arange(drawn))
        self.register_buffer("seed", torch.randint(2**31, ()))
        self._optimizer_state: dict[str, torch.Tensor] = {}  # of all identities, (C, D) each

    def forward(self, embedding: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Logits (B, S) of embeddings (B, D) for the drawn identities, with the margin at ``labels`` (B,) int64.

        The columns are those of ``classes``, ascending.
        """
        return self.head(embedding, self._places(labels))

    def plain(self, embedding: torch.Tensor) -> torch.Tensor:
        """Logits (B, C) for all identities, without the margin."""
        return self.head.logits(embedding, self.weight)

    def losses(self, embedding: torch.Tensor, labels: torch.Tensor) -> Terms:
        """The head's losses over the drawn identities, those of ``labels`` (B,) among them."""
        return self.head.losses(embedding, self._places(labels))

    @torch.no_grad()
    def draw(self, labels: torch.Tensor, step: int, optimizers: Optimizers) -> None:
        """Brings in the identities of the whole batch, of which ``labels`` (B,) is a part, and random others.

        Raises:
            ParameterError: the batch holds more identities than an update draws.
        """
        present = identities_present(labels, len(self.weight)).cpu().numpy()
        seed = (int(self.seed), step)
        drawn = torch.from_numpy(drawn_classes(present, len(self.weight), len(self.head.weight), seed))
        self.classes.copy_(drawn)
        torch.index_select(self.weight, 0, self.classes, out=self.head.weight.data)
        for name, value in self._active_state(optimizers).items():
            self._optimizer_state[name] = self._optimizer_state[name].to(value)  # saved on a processor, say
            torch.index_select(self._optimizer_state[name], 0, self.classes, out=value)

    @torch.no_grad()
    def write_back(self, optimizers: Optimizers) -> None:
        """Returns the updated rows and their optimiser state to where all are kept."""
        self.weight.index_copy_(0, self.classes, self.head.weight)
        for name, value in self._active_state(optimizers).items():
            if name not in self._optimizer_state:
                self._optimizer_state[name] = value.new_zeros(self.weight.shape)
            self._optimizer_state[name].index_copy_(0, self.classes, value)

    def get_extra_state(self) -> dict[str, torch.Tensor]:
        """The optimiser state of all identities: what there is of it depends on the optimiser, so it is no buffer."""
        return self._optimizer_state

    def set_extra_state(self, state: dict[str, torch.Tensor]) -> None:
        """Takes up what :meth:`get_extra_state` gave."""
        self._optimizer_state = {name: value.clone() for name, value in state.items()}

    def _active_state(self, optimizers: Optimizers) -> dict[str, torch.Tensor]:
        """What the optimisers keep for every value of the active rows, by its name; empty before the first step."""
        weight = self.head.weight
        return {
            name: value
            for optimizer in optimizers.values()
            for name, value in optimizer.state.get(weight, {}).items()
            if isinstance(value, torch.Tensor) and value.shape == weight.shape
        }

    def _places(self, labels: torch.Tensor) -> torch.Tensor:
        places = torch.searchsorted(self.classes, labels).clamp_max(len(self.classes) - 1)
        if not torch.equal(self.classes[places], labels):
            raise RuntimeError("an identity of this batch was not drawn: draw() comes before the losses")
        return places


def drawn_classes(present: np.ndarray, num_classes: int, count: int, seed: tuple[int, ...]) -> np.ndarray:
    """``count`` of ``num_classes`` identities, ascending: all those ``present``, each given once, and random others.

    Raises:
        ParameterError: more than ``count`` are present.
    """
    if len(present) > count:
        what = f"a batch holds {len(present)} identities, and sample_rate lets an update draw {count} of {num_classes}"
        enough = math.ceil(100 * len(present) / num_classes) / 100
        remedy = f"raise sample_rate to {enough:g} or more, or make batch_size smaller"
        raise ParameterError(what, where="params.yaml: head.sample_rate", remedy=remedy)
    absent = np.delete(np.arange(num_classes), present)
    others = np.random.default_rng(seed).choice(absent, count - len(present), replace=False, shuffle=False)
    return np.sort(np.concatenate([present, others]))
