"""The weights of the epoch that was the best by its validation loss."""

import copy
import math
from typing import Any

from lrfr.nn.training.task import Task


class BestWeights:
    """Keeps a copy of all that a task has learnt at the end of its best epoch; of equal ones, the first.

    Args:
        task: whose weights, statistics and further state are kept.
    """

    def __init__(self, task: Task) -> None:
        self._task, self._loss = task, math.inf
        self._kept: dict[str, Any] = {}

    def look(self, loss: float) -> None:
        """Keeps the present weights if the validation loss is lower than that of all epochs before."""
        if loss < self._loss:
            self._loss, self._kept = loss, copy.deepcopy(self._task.state_dict())

    def settle(self) -> None:
        """The task takes the best weights; those that it has, where no epoch was looked at."""
        if self._kept:
            self._task.load_state_dict(self._kept)

    def state_dict(self) -> dict[str, Any]:
        """What has to be kept to go on later."""
        return {"loss": self._loss, "kept": self._kept}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from what was kept."""
        self._loss, self._kept = state["loss"], state["kept"]
