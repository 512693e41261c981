"""What becomes of the learning rate during a training."""

import math
from collections.abc import Mapping
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from lrfr.nn.training.settings import Optimization, Training


def learning_rate(chosen: Optimization, epochs: int, initial: float, step: int, steps_per_epoch: int) -> float:
    """The learning rate of one update, by the schedules ``constant``, ``cosine`` and ``step``, with linear warm-up.

    Args:
        chosen: the schedule.
        epochs: of the whole training.
        initial: the learning rate that it starts from.
        step: the update's number, from 0.
        steps_per_epoch: updates.
    """
    warmup, total = chosen.warmup_epochs * steps_per_epoch, epochs * steps_per_epoch
    if step < warmup:
        return min(initial * (step + 1) / warmup, initial)
    if chosen.schedule == "cosine":
        return initial * (1 + math.cos(math.pi * (step - warmup) / max(total - warmup, 1))) / 2
    unit = steps_per_epoch if chosen.milestone_unit == "epoch" else 1
    passed = sum(step >= milestone * unit for milestone in chosen.milestones)
    return initial / chosen.milestone_divisor**passed


class Schedule:
    """The learning rates of all optimisers of a training.

    Args:
        optimizers: by their names; each group knows its ``initial_lr``.
        training: the schedules.
        steps_per_epoch: updates.
    """

    def __init__(self, optimizers: Mapping[str, Optimizer], training: Training, steps_per_epoch: int) -> None:
        self._optimizers, self._training, self._steps_per_epoch = optimizers, training, steps_per_epoch
        self._plateaus = {
            name: ReduceLROnPlateau(
                optimizer,
                factor=1 / chosen.plateau_divisor,
                patience=chosen.plateau_patience,
                threshold=chosen.plateau_threshold,
            )
            for name, optimizer in optimizers.items()
            if (chosen := training.scheduled(name)).schedule == "plateau"
        }

    def begin_update(self, step: int) -> None:
        """Sets the learning rates of one update."""
        for name, optimizer in self._optimizers.items():
            if name not in self._plateaus:
                chosen, epochs = self._training.scheduled(name), self._training.epochs
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate(chosen, epochs, group["initial_lr"], step, self._steps_per_epoch)

    def end_epoch(self, validation_loss: float) -> None:
        """Looks for a plateau."""
        for plateau in self._plateaus.values():
            plateau.step(validation_loss)

    def state_dict(self) -> dict[str, Any]:
        """What has to be kept to go on later."""
        return {name: plateau.state_dict() for name, plateau in self._plateaus.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from what was kept."""
        for name, plateau in self._plateaus.items():
            plateau.load_state_dict(state[name])
