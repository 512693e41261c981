"""The one training loop. It resumes bit-exactly: an update depends on the state before it and on its number alone."""

import math
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import nn

from lrfr.config import Section
from lrfr.errors import InterruptedTrainingError, ParameterError, TrainingError
from lrfr.nn.checkpoint import SavedState
from lrfr.nn.compute import device
from lrfr.nn.data import BatchOrder, LabelledFaces
from lrfr.nn.images import batches, in_order
from lrfr.nn.task import Moment, Task
from lrfr.progress import track

SECONDS_BETWEEN_CHECKPOINTS = 30.0
Curves = list[dict[str, float]]


class Training(Section):
    """SGD with momentum.

    ``plateau`` divides the learning rate by ``plateau_divisor`` when the validation loss has not fallen for more than
    ``plateau_patience`` epochs; ``cosine`` lets it fall to zero after ``warmup_epochs``. ``clip_norm`` bounds the norm
    of the gradient, where it is not null.
    """

    epochs: int = Field(ge=0)
    batch_size: int = Field(gt=1)
    learning_rate: float = Field(gt=0)
    momentum: float = Field(ge=0, lt=1)
    weight_decay: float = Field(ge=0)
    schedule: Literal["cosine", "plateau"]
    warmup_epochs: float = Field(default=0, ge=0)
    plateau_divisor: float = Field(default=5, gt=1)
    plateau_patience: int = Field(default=1, ge=0)
    clip_norm: float | None = Field(gt=0)
    precision: Literal["bf16", "fp32"]

    @model_validator(mode="after")
    def _schedules_do_not_mix(self) -> Self:
        if self.schedule == "plateau" and self.warmup_epochs:
            raise ValueError("warmup_epochs belongs to the cosine schedule, not to plateau")
        return self


def train(
    task: Task,
    faces: LabelledFaces,
    validation: LabelledFaces | None,
    training: Training,
    seed: int,
    saved: SavedState,
) -> Curves:
    """Trains ``task`` (a module) in place, from its saved state where there is one.

    Args:
        task: the module to train.
        faces: training images with labels.
        validation: images with labels for ``validation_losses`` after each epoch.
        training: optimiser, schedule, precision.
        seed: of order, augmentation and every random draw.
        saved: where the state is kept; the finished one too, for the caller to forget when the model is on disk.

    Returns:
        One row per epoch: mean loss terms, learning rate, validation losses.

    Raises:
        ParameterError: a plateau is to be watched for, and there are no validation images.
        TrainingError: a loss term is not finite; the update is not made.
        InterruptedTrainingError: Ctrl-C or SIGTERM; the state was saved.
    """
    if training.schedule == "plateau" and validation is None:
        what = "the schedule 'plateau' watches the validation loss, and these faces have no validation images"
        raise ParameterError(what, where="params.yaml: training.schedule", remedy="choose cosine")
    return _Run(task, faces, validation, training, seed, saved).to_the_end()


def learning_rate(training: Training, step: int, steps_per_epoch: int) -> float:
    """The cosine schedule with linear warm-up at an update's number."""
    warmup, total = training.warmup_epochs * steps_per_epoch, training.epochs * steps_per_epoch
    if step < warmup:
        return training.learning_rate * (step + 1) / warmup
    return training.learning_rate * (1 + math.cos(math.pi * (step - warmup) / max(total - warmup, 1))) / 2


class _Run:
    """One training: its state, its saving and its updates."""

    def __init__(
        self,
        task: Any,
        faces: LabelledFaces,
        validation: LabelledFaces | None,
        training: Training,
        seed: int,
        saved: SavedState,
    ) -> None:
        self.device = device()
        self.task: Any = task.to(self.device, memory_format=torch.channels_last)
        self.faces, self.validation, self.training = faces, validation, training
        self.seed, self.saved = seed, saved
        self.optimizer = torch.optim.SGD(
            self.task.parameter_groups(),
            lr=training.learning_rate,
            momentum=training.momentum,
            weight_decay=training.weight_decay,
        )
        self.plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self.optimizer, factor=1 / training.plateau_divisor, patience=training.plateau_patience
        )
        self.step, self.curves = 0, []
        self.sums: dict[str, float] = defaultdict(float)
        self._take_up()

    def to_the_end(self) -> Curves:
        """Runs every update that is left."""
        order = BatchOrder(len(self.faces), self.training.batch_size, self.training.epochs, self.seed, self.step)
        last_saved = time.monotonic()
        with _stop_requests() as stop_requested:
            for images, labels in track(batches(self.faces, order), "training", len(order), "update"):
                self._update(images.to(self.device), labels.to(self.device), order)
                if self.step % order.steps_per_epoch == 0:
                    self._end_epoch(order.steps_per_epoch)
                if stop_requested():
                    self._save()
                    raise InterruptedTrainingError(
                        f"training was stopped after update {self.step}; its state is saved",
                        where=self.saved.path,
                        remedy="run the same command again: it goes on from there",
                    )
                if time.monotonic() - last_saved > SECONDS_BETWEEN_CHECKPOINTS:
                    self._save()
                    last_saved = time.monotonic()
        self._save()
        self.task.eval()
        return self.curves

    def _update(self, images: torch.Tensor, labels: torch.Tensor, order: BatchOrder) -> None:
        total = self.training.epochs * order.steps_per_epoch
        if self.training.schedule == "cosine":
            for group in self.optimizer.param_groups:
                group["lr"] = learning_rate(self.training, self.step, order.steps_per_epoch)
        torch.manual_seed(self.seed * 1_000_003 + self.step)  # dropout, whatever ran before
        rng = np.random.default_rng((self.seed, 2, self.step))
        self.task.train()
        with self._autocast():
            terms = self.task.losses(images, labels, Moment(self.step, total, rng))
        self._check_finite(terms)
        self.optimizer.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        if self.training.clip_norm:
            nn.utils.clip_grad_norm_(self.task.parameters(), self.training.clip_norm)
        self.optimizer.step()
        self.step += 1
        for name, value in terms.items():
            self.sums[name] += value.item()

    def _check_finite(self, terms: dict[str, torch.Tensor]) -> None:
        for name, value in terms.items():
            if not torch.isfinite(value):
                raise TrainingError(
                    f"the loss term '{name}' is {value.item()} at update {self.step}; the update was not made",
                    remedy="lower the learning rate or clip_norm, or look at the data of this update",
                )

    def _end_epoch(self, steps_per_epoch: int) -> None:
        row: dict[str, float] = {"step": self.step, "learning_rate": self.optimizer.param_groups[0]["lr"]}
        row |= {name: value / steps_per_epoch for name, value in self.sums.items()}
        if self.validation is not None:
            losses = self._validate(self.validation)
            row |= {f"validation_{name}": value for name, value in losses.items()}
            if self.training.schedule == "plateau":
                self.plateau.step(sum(losses.values()))
        self.sums.clear()
        self.curves.append(row)

    @torch.inference_mode()
    def _validate(self, faces: LabelledFaces) -> dict[str, float]:
        self.task.eval()
        sums: dict[str, float] = defaultdict(float)
        for images, labels in in_order(faces, len(faces), 256):
            with self._autocast():
                losses = self.task.validation_losses(images.to(self.device), labels.to(self.device))
            for name, value in losses.items():
                sums[name] += value.item() * len(labels)
        return {name: value / len(faces) for name, value in sums.items()}

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.training.precision == "bf16")

    def _save(self) -> None:
        state = {
            "step": self.step,
            "curves": self.curves,
            "sums": dict(self.sums),
            "task": self.task.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "plateau": self.plateau.state_dict(),
        }
        self.saved.write(state)

    def _take_up(self) -> None:
        state = self.saved.read()
        if state is None:
            return
        self.task.load_state_dict(state["task"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.plateau.load_state_dict(state["plateau"])
        self.step, self.curves = state["step"], state["curves"]
        self.sums.update(state["sums"])
        print(f"taking up the training at update {self.step}", flush=True)


@contextmanager
def _stop_requests() -> Iterator[Callable[[], bool]]:
    """Turns the first Ctrl-C or SIGTERM into a request that the loop looks at after each update."""
    asked: list[int] = []

    def note(number: int, frame: object) -> None:
        if asked:  # the second one means it
            raise KeyboardInterrupt
        asked.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
