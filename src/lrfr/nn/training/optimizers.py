"""The optimisers of a task, one for each of its named groups of parameters."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from lrfr.errors import unknown_name
from lrfr.nn.training.settings import Optimization, Training
from lrfr.nn.training.task import Optimizers, Task


def optimizers_of(task: Task, training: Training) -> dict[str, Optimizer]:
    """The task's optimisers by their names.

    Raises:
        ParameterError: params.yaml sets an optimiser that the task does not have.
    """
    groups = task.parameter_groups()
    check_optimizers(training, groups)
    # Only what has no scaler of its own may be fused: clipping has to see unscaled gradients.
    fused = next(task.parameters()).is_cuda and training.precision != "fp16"
    return {name: _optimizer(trained, training.optimization(name), fused) for name, trained in groups.items()}


def check_optimizers(training: Training, names: Iterable[str], where: str = "params.yaml: training.optimizers") -> None:
    """Checks which optimisers params.yaml sets; the settings of ``main`` are the training's own.

    Raises:
        ParameterError: one of them is not among ``names``.
    """
    others = [name for name in names if name != "main"]
    for name in training.optimizers:
        if name not in others:
            raise unknown_name("optimizer", name, others or ["none, this method has only 'main'"], where)


def _optimizer(groups: list[dict[str, Any]], chosen: Optimization, fused: bool) -> Optimizer:
    common: dict[str, Any] = {"lr": chosen.learning_rate, "weight_decay": chosen.weight_decay}
    if fused:
        common["fused"] = True
    if chosen.optimizer == "sgd":
        optimizer: Optimizer = SGD(groups, momentum=chosen.momentum or 0.0, **common)
    else:
        first, second = chosen.betas or (0.9, 0.999)
        kind = Adam if chosen.optimizer == "adam" else AdamW
        optimizer = kind(groups, betas=(first, second), **common)
    for group in optimizer.param_groups:
        group.setdefault("initial_lr", group["lr"])
    return optimizer


@contextmanager
def only_trains(name: str, optimizers: Optimizers) -> Iterator[None]:
    """Gradients reach the parameters of one optimiser only; those of the others are constant."""
    trained = {id(parameter) for parameter in _parameters(optimizers[name])}
    every = (parameter for optimizer in optimizers.values() for parameter in _parameters(optimizer))
    others = [parameter for parameter in every if id(parameter) not in trained]
    for parameter in others:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in others:
            parameter.requires_grad_(True)


def learning_rates(optimizers: Optimizers) -> dict[str, float]:
    """The present learning rate of each optimiser, that of its first group, as the curves name it."""
    return {_prefixed("learning_rate", name): each.param_groups[0]["lr"] for name, each in optimizers.items()}


def curve_names(values: Mapping[str, float], optimizer: str) -> dict[str, float]:
    """Loss terms as the curves name them: those of another optimiser than ``main`` begin with its name."""
    return {_prefixed(name, optimizer): value for name, value in values.items()}


def _parameters(optimizer: Optimizer) -> list[nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _prefixed(name: str, optimizer: str) -> str:
    return name if optimizer == "main" else f"{optimizer}_{name}"
