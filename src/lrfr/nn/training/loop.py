"""The one training loop, on Lightning Fabric. It resumes bit-exactly on a processor: an update depends on the state
before it and on its number alone."""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from lrfr.errors import InterruptedTrainingError, ParameterError
from lrfr.nn.batches.labelled import TrainingFaces, training_batches
from lrfr.nn.batches.order import MixedOrder
from lrfr.nn.compute import decoding_workers, device
from lrfr.nn.processes import launch, processes, this_process
from lrfr.nn.training.averaging import WeightAverage
from lrfr.nn.training.batch_norm import synchronise_batch_norm
from lrfr.nn.training.best import BestWeights
from lrfr.nn.training.checkpoint import SavedState
from lrfr.nn.training.curves import Curves, Means
from lrfr.nn.training.interruption import stop_requests
from lrfr.nn.training.live import LiveCurves
from lrfr.nn.training.loss_terms import check_finite, check_weights, reduce_losses
from lrfr.nn.training.optimizers import curve_names, learning_rates, only_trains, optimizers_of
from lrfr.nn.training.schedules import Schedule
from lrfr.nn.training.settings import Training
from lrfr.nn.training.task import Batch, StepContext, Task, Terms
from lrfr.nn.training.validation import validate, watched
from lrfr.progress import track

SECONDS_BETWEEN_CHECKPOINTS = 30.0


def train(
    task: Task,
    collections: Mapping[str, TrainingFaces],
    validation: TrainingFaces | None,
    training: Training,
    seed: int,
    saved: SavedState,
    live: Path | None = None,
) -> Curves:
    """Trains ``task`` (a module) in place, from its saved state where there is one; ``torchrun`` shares the work.

    Args:
        task: the module to train.
        collections: training images with labels, by the names that the task knows.
        validation: images with labels for ``validation_losses`` after each epoch.
        training: batches, optimisers, schedule, precision.
        seed: of order, augmentation and every random draw.
        saved: where the state is kept; the finished one too, for the caller to forget when the model is on disk.
        live: the folder of the live curves; none when None.

    Returns:
        One row per epoch: mean loss terms, learning rate, validation losses.

    Raises:
        ParameterError: settings that do not go with the task, the images or the machine.
        TrainingError: a loss term is not finite; the update is not made.
        InterruptedTrainingError: Ctrl-C or SIGTERM; the state was saved.
    """
    schedules = {training.schedule, *(chosen.schedule for chosen in training.optimizers.values())}
    if "plateau" in schedules and validation is None:
        what = "the schedule 'plateau' watches the validation loss, and these faces have no validation images"
        raise ParameterError(what, where="params.yaml: training.schedule", remedy="choose cosine or step")
    if training.keep == "best" and validation is None:
        what = "the best weights are those of the lowest validation loss, and these faces have no validation images"
        raise ParameterError(what, where="params.yaml: training.keep", remedy="choose last")
    return _Run(task, collections, validation, training, seed, saved, live).to_the_end()


class _Part(Protocol):
    """A part of a training that is saved with it."""

    def state_dict(self) -> Any: ...

    def load_state_dict(self, state: Any, /) -> Any: ...


class _Watched(nn.Module):
    """What Fabric wraps: a call computes the loss terms of one optimiser, in the training's precision."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.task = task

    def forward(self, losses: Callable[[], Terms]) -> Terms:
        return losses()


class _Run:
    """One training: its state, its saving and its updates."""

    def __init__(
        self,
        task: Task,
        collections: Mapping[str, TrainingFaces],
        validation: TrainingFaces | None,
        training: Training,
        seed: int,
        saved: SavedState,
        live: Path | None,
    ) -> None:
        self.collections, self.validation, self.training = collections, validation, training
        self.seed, self.saved = seed, saved
        self.fabric = launch(device(), training.precision, len(task.parameter_groups()))
        if processes() > 1:
            synchronise_batch_norm(task, self.fabric.device)
        self.task = task.to(self.fabric.device, memory_format=torch.channels_last)  # pyrefly: ignore
        self.optimizers = optimizers_of(task, training)
        self.average = WeightAverage(task, training.ema_decay) if training.ema_decay else None
        self.best = BestWeights(task) if training.keep == "best" else None
        self.steps_per_epoch = self._order(0).steps_per_epoch
        self.schedule = Schedule(self.optimizers, training, self.steps_per_epoch)
        self.step, self.curves, self.means = 0, [], Means()
        self._resume()
        self.live = LiveCurves(live, self.step) if live and this_process() == 0 else None
        self.watched = self.fabric.setup_module(_Watched(task))
        self.steppers: dict[str, Any] = {
            name: self.fabric.setup_optimizers(each) for name, each in self.optimizers.items()
        }

    def to_the_end(self) -> Curves:
        """Runs every update that is left."""
        order = self._order(self.step)
        batches: Iterable[Batch] = training_batches(self.collections, order, decoding_workers(), self.fabric.device)
        if this_process() == 0:
            batches = track(batches, "training", len(order), "update")
        last_saved = time.monotonic()
        with stop_requests() as requested:
            for batch in batches:
                stop = self._update(batch, requested)
                if self.step % self.steps_per_epoch == 0:
                    self._end_epoch()
                if stop:
                    self._stop()
                if time.monotonic() - last_saved > SECONDS_BETWEEN_CHECKPOINTS:
                    self._save()
                    last_saved = time.monotonic()
        self._save()
        if self.average:
            self.average.settle()
        if self.best:
            self.best.settle()
        self.task.eval()
        return self.curves

    def _update(self, batch: Batch, stop_requested: Callable[[], bool]) -> bool:
        """Makes one update; whether any process was asked to stop after it."""
        self.schedule.begin_update(self.step)
        # Dropout, whatever ran before; other processes see other images, and drop other features
        torch.manual_seed(self.seed * 1_000_003 + self.step + (this_process() << 40))
        rng = np.random.default_rng((self.seed, 2, self.step, 0))
        context = StepContext(self.step, self.training.epochs * self.steps_per_epoch, rng, processes(), this_process())
        self.task.train()
        if self.task.part is not None:
            self.task.part.hold()
        self.task.before_update(batch, context, self.optimizers)
        values: dict[str, float] = {}
        stop = False
        for name in self.task.turns(self.step):
            terms, asked = self._turn(name, batch, context, stop_requested)
            values, stop = values | terms, stop or asked
        self.task.after_update(self.optimizers)
        self.task.watch(values, self.step)
        if self.average:
            self.average.follow(self.step)
        self.step += 1
        if self.live:
            self.live.update(self.step, values | learning_rates(self.optimizers))
        return stop

    def _turn(
        self, name: str, batch: Batch, context: StepContext, stop_requested: Callable[[], bool]
    ) -> tuple[dict[str, float], bool]:
        optimizer = self.steppers[name]
        with only_trains(name, self.optimizers):
            terms = self.watched(lambda: self.task.losses(batch, context, name))
            values, stop = reduce_losses(terms | self.task.observed(), stop_requested(), self.fabric)
            check_finite(values, name, self.step)
            optimizer.zero_grad()
            self.fabric.backward(torch.stack(list(terms.values())).sum())
            if self.training.clip_norm:
                self.fabric.clip_gradients(
                    self.watched, optimizer, max_norm=self.training.clip_norm, error_if_nonfinite=False
                )
            optimizer.step()
        values = curve_names(values, name)
        self.means.add(values)
        return values, stop

    def _end_epoch(self) -> None:
        picture = self.task.end_epoch(self.step)
        if self.live and picture is not None:
            self.live.picture(self.step, picture)
        row: dict[str, float] = {"step": self.step, **learning_rates(self.optimizers), **self.means.take()}
        if self.validation is not None:
            with self.average.in_place() if self.average else nullcontext():
                losses = validate(self.task, self.validation, self.training.validation_sides, self.fabric)
                loss = watched(losses, self.training.watched_side)
                if self.best:
                    self.best.look(loss)
            row |= {f"validation_{name}": value for name, value in losses.items()}
            self.schedule.end_epoch(loss)
        self.curves.append(row)
        if self.live:
            self.live.show(self.step, {name: value for name, value in row.items() if name.startswith("validation_")})

    def _stop(self) -> None:
        self._save()
        self.fabric.barrier()  # torchrun kills the others as soon as one is gone
        raise InterruptedTrainingError(
            f"training was stopped after update {self.step}; its state is saved",
            where=self.saved.path,
            remedy="run the same command again: it goes on from there",
        )

    def _order(self, first_step: int) -> MixedOrder:
        return MixedOrder(
            {name: faces.labels for name, faces in self.collections.items()},
            self.training.batch_size,
            self.training.epochs,
            self.seed,
            first_step=first_step,
            shares=self.training.shares,
            images_per_identity=self.training.images_per_identity,
            process=this_process(),
            processes=processes(),
            paired=self.task.paired,
        )

    def _save(self) -> None:
        if this_process() != 0:
            return
        check_weights(self.task, self.step)
        self.saved.write(
            {
                "step": self.step,
                "curves": self.curves,
                "processes": processes(),
                **{name: part.state_dict() for name, part in self._parts().items()},
            }
        )

    def _resume(self) -> None:
        state = self.fabric.broadcast(self.saved.read() if this_process() == 0 else None)
        if state is None:
            return
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        self.step, self.curves = state["step"], state["curves"]
        if this_process() == 0:
            changed = state["processes"] != processes()
            others = f", with {processes()} processes instead of {state['processes']}: sums round differently"
            print(f"resuming the training at update {self.step}{others if changed else ''}", flush=True)

    def _parts(self) -> dict[str, _Part]:
        """All that has a state, beside the number of updates made."""
        parts: dict[str, _Part] = {"task": self.task, "schedule": self.schedule, "means": self.means}
        parts |= {f"optimizer {name}": optimizer for name, optimizer in self.optimizers.items()}
        if self.average:
            parts["average"] = self.average
        if self.best:
            parts["best"] = self.best
        return parts | {"scaler": self.fabric.strategy.precision}
