"""The loss terms of one update, before it is made, and the weights that came of them."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from lrfr.errors import TrainingError
from lrfr.nn.processes import processes
from lrfr.nn.training.task import Terms

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def reduce_losses(terms: Terms, stop_requested: bool, fabric: "Fabric") -> tuple[dict[str, float], bool]:
    """The terms' means over the processes, and whether one of them is asked to stop: the same in all.

    This is the one place where the processor waits for a GPU: only so can an update be stopped before it is made.
    It then waits for the forward pass alone, and while the GPU goes backward it is ahead again.
    """
    asked = torch.full((), float(stop_requested), device=fabric.device)
    vector: Any = torch.stack([*(value.detach().float() for value in terms.values()), asked])
    if processes() > 1:
        vector = fabric.all_reduce(vector, reduce_op="mean")
    *values, stop = vector.tolist()
    return dict(zip(terms, values, strict=True)), stop > 0


def check_finite(values: Mapping[str, float], optimizer: str, step: int) -> None:
    """Checks the terms of one optimiser at an update, by its number.

    Raises:
        TrainingError: one of them is not finite.
    """
    whose = "" if optimizer == "main" else f" of the optimizer '{optimizer}'"
    for name, value in values.items():
        if not math.isfinite(value):
            raise TrainingError(
                f"the loss term '{name}'{whose} is {value} at update {step}; the update was not made",
                remedy="lower the learning rate or clip_norm, or look at the data of this update",
            )


def check_weights(module: nn.Module, step: int) -> None:
    """Checks the weights after ``step`` updates, before they are kept.

    Raises:
        TrainingError: one of them is not finite: a gradient was not, although its loss was.
    """
    for name, value in module.named_parameters():
        if not value.isfinite().all():
            raise TrainingError(
                f"the weights '{name}' are not finite after update {step}, though all losses were; they are not saved",
                remedy="look for a gradient without bound (a root or a logarithm at 0), or lower the learning rate",
            )
