"""The optimisers of a task's players."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from lrfr.errors import unknown_name
from lrfr.nn.training.settings import Optimization, Training
from lrfr.nn.training.task import Optimizers, Task


def optimizers_of(task: Task, training: Training) -> dict[str, Optimizer]:
    """One optimiser for each of the task's players.

    Raises:
        ParameterError: params.yaml sets a player that the task has not.
    """
    players = task.players()
    check_players(training, players)
    # Only what has no scaler of its own may be fused: clipping has to see unscaled gradients.
    fused = next(task.parameters()).is_cuda and training.precision != "fp16"
    return {name: _optimizer(groups, training.optimization(name), fused) for name, groups in players.items()}


def check_players(training: Training, players: Iterable[str], where: str = "params.yaml: training.players") -> None:
    """Looks at whose optimisers are set; ``main``'s is the training's own.

    Raises:
        ParameterError: one is set for a player that is not among ``players``.
    """
    others = [player for player in players if player != "main"]
    for name in training.players:
        if name not in others:
            raise unknown_name("player", name, others or ["none, this method has only 'main'"], where)


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
def alone(player: str, optimizers: Optimizers) -> Iterator[None]:
    """Gradients reach one player's parameters only; what others alone train is as constant."""
    mine = {id(parameter) for parameter in _parameters(optimizers[player])}
    everybodys = (parameter for optimizer in optimizers.values() for parameter in _parameters(optimizer))
    others = [parameter for parameter in everybodys if id(parameter) not in mine]
    for parameter in others:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in others:
            parameter.requires_grad_(True)


def learning_rates(optimizers: Optimizers) -> dict[str, float]:
    """Each player's present learning rate, that of its first group, as it is named in the curves."""
    return {_name("learning_rate", player): each.param_groups[0]["lr"] for player, each in optimizers.items()}


def named(values: Mapping[str, float], player: str) -> dict[str, float]:
    """A player's loss terms as they are named in the curves: those of others than ``main`` after them."""
    return {_name(name, player): value for name, value in values.items()}


def _parameters(optimizer: Optimizer) -> list[nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _name(name: str, player: str) -> str:
    return name if player == "main" else f"{player}_{name}"
