"""params.yaml: which of its backbone's weights a run trains; all else of the backbone stays as it is.

With little LR data and a strong backbone the danger is forgetting: a whole network that is fine-tuned on some thousand
tiny faces loses what it knew of sharp ones (Narayan, Nair, Xu, Chellappa & Patel, "PETALface: Parameter Efficient
Transfer Learning for Low-Resolution Face Recognition", WACV 2025). Heads, and networks in front of the backbone, are
new in every run and always train.

Low-rank adapters: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022. A weight W becomes
W + B A, of rank r; only A and B learn, and B starts at 0. A convolution's weight counts as a matrix with a row for each
filter. LoRA's factor alpha / r is 1 here. Before a model is written B A is added to W: it is a plain network.
"""

import math
from typing import Annotated, Literal

import torch
from pydantic import Field, PositiveInt
from torch import nn
from torch.nn.utils import parametrize

from lrfr.config import Section
from lrfr.errors import ParameterError
from lrfr.nn.networks.stages import belongs_to, stages_of

ADAPTED = (nn.Conv2d, nn.Linear)


class All(Section):
    """Every weight of the backbone."""

    name: Literal["all"]


class LastStages(Section):
    """The last ``stages`` of its stages (:mod:`lrfr.nn.networks.stages`), counted from the embedding."""

    name: Literal["last_stages"]
    stages: PositiveInt


class LowRankAdapters(Section):
    """Adapters of at most this ``rank`` beside the weights of its convolutions and fully connected layers."""

    name: Literal["lora"]
    rank: PositiveInt


Trained = Annotated[All | LastStages | LowRankAdapters, Field(discriminator="name")]


class LowRank(nn.Module):
    """The adapter of one weight W, as torch's parametrization of it: W + B A."""

    def __init__(self, weight: torch.Tensor, rank: int) -> None:
        super().__init__()
        rows, columns = len(weight), weight[0].numel()
        rank = min(rank, rows, columns)
        self.down = nn.Parameter(weight.new_empty(rank, columns))  # A
        self.up = nn.Parameter(weight.new_zeros(rows, rank))  # B
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """W + B A, in the shape of W."""
        return weight + (self.up @ self.down).view(weight.shape)


class TrainedPart:
    """What a run trains of its backbone.

    Args:
        backbone: changed in place: adapters are put beside its weights where they are asked for.
        chosen: what is trained of it.

    Raises:
        ParameterError: it has fewer stages than are to be trained, or no weight that an adapter goes with.
    """

    def __init__(self, backbone: nn.Module, chosen: LastStages | LowRankAdapters) -> None:
        self._backbone = backbone
        is_adapted = isinstance(chosen, LowRankAdapters)
        # Names of modules and parameters
        self._trained = _adapters(backbone, chosen.rank) if is_adapted else _last_stages(backbone, chosen.stages)

    def freeze(self) -> None:
        """Takes the gradients of all other parameters away; to be called whenever a step has chosen what it trains."""
        for name, parameter in self._backbone.named_parameters():
            if not belongs_to(name, self._trained):
                parameter.requires_grad_(False)

    def hold(self) -> None:
        """Leaves all other modules in evaluation mode, so that their statistics stay, too; before every update."""
        for name, module in self._backbone.named_modules():
            if not belongs_to(name, self._trained):
                module.training = False

    def merge(self) -> None:
        """Adds the adapters to the weights that they stand beside: the network is a plain one again."""
        for module in self._backbone.modules():
            if isinstance(module, ADAPTED) and parametrize.is_parametrized(module, "weight"):
                parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)


def _last_stages(backbone: nn.Module, count: int) -> tuple[str, ...]:
    stages = stages_of(backbone)
    if count > len(stages):
        what = f"the last {count} stages are to be trained, and the backbone has {len(stages)}: {', '.join(stages)}"
        raise ParameterError(what, where="params.yaml: methods: trained", remedy="take fewer, or `{name: all}`")
    return tuple(name for names in list(stages.values())[-count:] for name in names)


def _adapters(backbone: nn.Module, rank: int) -> tuple[str, ...]:
    """Puts an adapter beside each weight; the adapters' names."""
    layers = {name: module for name, module in backbone.named_modules() if isinstance(module, ADAPTED)}
    if not layers:
        what = "the backbone has no convolution and no fully connected layer that an adapter goes with"
        raise ParameterError(
            what, where="params.yaml: methods: trained", remedy="take `{name: last_stages, stages: 1}`"
        )
    for layer in layers.values():
        weight: torch.Tensor = layer.weight  # pyrefly: ignore - a tensor in both kinds
        parametrize.register_parametrization(layer, "weight", LowRank(weight.detach(), rank))
    return tuple(f"{name}.parametrizations.weight.0" for name in layers)
