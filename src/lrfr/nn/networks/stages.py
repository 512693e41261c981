"""The stages of a network by their names: what a run that trains only its last ones freezes."""

from collections.abc import Sequence
from typing import Any

from torch import nn

Stages = dict[str, tuple[str, ...]]
"""From the image to the embedding: the names, within the network, of the modules and parameters of each stage."""


def consecutive(parent: str, lengths: Sequence[int], first: int = 0) -> Stages:
    """``stage_1``, ``stage_2`` and so on, out of the children of a ``Sequential``.

    Args:
        parent: its name.
        lengths: how many children each stage has.
        first: the number of the first one.
    """
    stages: Stages = {}
    for number, length in enumerate(lengths, 1):
        stages[f"stage_{number}"] = children(parent, first, first + length)
        first += length
    return stages


def children(parent: str, start: int, stop: int) -> tuple[str, ...]:
    """The names of the children ``start`` ... ``stop`` - 1 of a ``Sequential``."""
    return tuple(f"{parent}.{number}" for number in range(start, stop))


def stages_of(network: nn.Module) -> Stages:
    """The stages of a network that have a parameter: those that it names, timm's coarse groups of layers, or else its
    children."""
    stages: Stages = {name: (name,) for name, _ in network.named_children()}
    if hasattr(network, "named_stages"):
        stages = network.named_stages()  # pyrefly: ignore
    elif hasattr(network, "group_matcher"):
        stages = _timm_stages(network)
    parameters = [name for name, _ in network.named_parameters()]
    return {
        stage: names for stage, names in stages.items() if any(belongs_to(parameter, names) for parameter in parameters)
    }


def belongs_to(name: str, stage: Sequence[str]) -> bool:
    """Whether a module or parameter is one of a stage's, or within one."""
    return any(name == own or name.startswith(f"{own}.") for own in stage)


def _timm_stages(network: Any) -> Stages:
    """timm's groups, by which its layer-wise learning rates are set too."""
    from timm.models import group_parameters  # 5 s: only for its models

    groups: Any = group_parameters(network, network.group_matcher(coarse=True))
    return {f"group_{number + 1}": tuple(map(_owner, names)) for number, names in sorted(groups.items())}


def _owner(parameter: str) -> str:
    """The module that a parameter is of; the parameter itself where it is the network's own, as a class token is."""
    return parameter.rpartition(".")[0] or parameter
