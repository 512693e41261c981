"""The exponential moving average of a task's weights."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from lrfr.nn.training.task import Task


class WeightAverage:
    """Follows the weights and statistics of a task that change in training.

    After update t (from 0) the average moves by 1 - d towards them, with d the smaller of ``decay`` and
    (1 + t) / (10 + t): so the weights that the training began with are soon forgotten, as in TensorFlow's
    ``ExponentialMovingAverage``.

    Args:
        task: followed from its present weights on; frozen parameters are not.
        decay: d, 0..1.
    """

    def __init__(self, task: Task, decay: float) -> None:
        frozen = {name for name, parameter in task.named_parameters() if not parameter.requires_grad}
        self._task, self._decay = task, decay
        self._names = [
            name
            for name, value in task.state_dict().items()
            if isinstance(value, torch.Tensor) and value.is_floating_point() and name not in frozen
        ]
        self._average = [value.clone() for value in self._present()]

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """Takes in the weights after update ``step``, from 0."""
        decay = min(self._decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self._average, self._present(), 1 - decay)

    @torch.no_grad()
    def settle(self) -> None:
        """The task keeps the average."""
        for value, average in zip(self._present(), self._average, strict=True):
            value.copy_(average)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The task has the average in place of its weights for as long as it is judged."""
        before = [value.clone() for value in self._present()]
        self.settle()
        try:
            yield
        finally:
            with torch.no_grad():
                for value, kept in zip(self._present(), before, strict=True):
                    value.copy_(kept)

    def state_dict(self) -> dict[str, torch.Tensor]:
        """What has to be kept to go on later."""
        return dict(zip(self._names, self._average, strict=True))

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Goes on from what was kept."""
        for name, average in zip(self._names, self._average, strict=True):
            average.copy_(state[name])

    def _present(self) -> list[torch.Tensor]:
        state = self._task.state_dict()
        return [state[name] for name in self._names]
