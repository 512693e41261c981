"""What becomes of the learning rate during a training."""

import math
from collections.abc import Iterable
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from lrfr.nn.training.settings import Training


def learning_rate(training: Training, initial: float, step: int, steps_per_epoch: int) -> float:
    """The learning rate of one update, after ``cosine`` or ``step``, with linear warm-up.

    Args:
        training: the schedule.
        initial: the learning rate that it starts from.
        step: the update's number, from 0.
        steps_per_epoch: updates.
    """
    warmup, total = training.warmup_epochs * steps_per_epoch, training.epochs * steps_per_epoch
    if step < warmup:
        return min(initial * (step + 1) / warmup, initial)
    if training.schedule == "cosine":
        return initial * (1 + math.cos(math.pi * (step - warmup) / max(total - warmup, 1))) / 2
    unit = steps_per_epoch if training.milestone_unit == "epoch" else 1
    passed = sum(step >= milestone * unit for milestone in training.milestones)
    return initial / training.milestone_divisor**passed


class Schedule:
    """The learning rates of all optimisers of a training.

    Args:
        optimizers: whose groups each know their ``initial_lr``.
        training: the schedule.
        steps_per_epoch: updates.
    """

    def __init__(self, optimizers: Iterable[Optimizer], training: Training, steps_per_epoch: int) -> None:
        self._optimizers, self._training, self._steps_per_epoch = list(optimizers), training, steps_per_epoch
        self._plateaus = [
            ReduceLROnPlateau(optimizer, factor=1 / training.plateau_divisor, patience=training.plateau_patience)
            for optimizer in self._optimizers
            if training.schedule == "plateau"
        ]

    def begin_update(self, step: int) -> None:
        """Sets the learning rates of one update."""
        if self._plateaus:
            return
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(self._training, group["initial_lr"], step, self._steps_per_epoch)

    def end_epoch(self, validation_loss: float) -> None:
        """Looks whether a plateau was reached."""
        for plateau in self._plateaus:
            plateau.step(validation_loss)

    def state_dict(self) -> list[dict[str, Any]]:
        """What has to be kept to go on later."""
        return [plateau.state_dict() for plateau in self._plateaus]

    def load_state_dict(self, state: list[dict[str, Any]]) -> None:
        """Goes on from what was kept."""
        for plateau, kept in zip(self._plateaus, state, strict=True):
            plateau.load_state_dict(kept)
