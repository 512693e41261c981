"""A whole training, in one step or in several one after the other: from its saved state to the written model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lrfr.nn.batches.labelled import TrainingFaces
from lrfr.nn.batches.order import parts_of_batch
from lrfr.nn.processes import this_process
from lrfr.nn.training.checkpoint import SavedState
from lrfr.nn.training.curves import Curves, one_after_the_other
from lrfr.nn.training.loop import train
from lrfr.nn.training.settings import Training
from lrfr.nn.training.task import Task

Learnt = tuple[Mapping[str, TrainingFaces], TrainingFaces | None]  # by collection; and validation faces


@dataclass(frozen=True)
class Step:
    """One step of a training.

    Attributes:
        name: of the step, for the task.
        training: its settings.
        faces: loads its faces when its turn comes.
        seed: of order, augmentation and every random draw.
        saved: where its state is kept.
        live: the folder of its live curves.
    """

    name: str
    training: Training
    faces: Callable[[], Learnt]
    seed: int
    saved: SavedState
    live: Path


@dataclass(frozen=True)
class Trained:
    """What a step learnt from: its faces by collection, how often it passed over each of them, and its updates."""

    step: str
    faces: dict[str, int]
    passes: dict[str, float]
    updates: int


def train_in_steps(task: Task, steps: Sequence[Step], write: Callable[[Curves, list[Trained]], None]) -> None:
    """Trains a task in place, and lets the first of the processes write what came of it.

    The state of a finished step is kept until everything is written: whoever goes on after an interruption repeats
    nothing.

    Args:
        task: the module to train.
        steps: what is done with it.
        write: called once, with the curves of all steps and what each learnt from.

    Raises:
        LrfrError: as :func:`lrfr.nn.training.loop.train`.
    """
    curves, trained = [], []
    for step in steps:
        task.begin(step.name)
        if task.part is not None:
            task.part.freeze()
        collections, validation = step.faces()
        curves.append(train(task, collections, validation, step.training, step.seed, step.saved, step.live))
        trained.append(_trained(step, collections, curves[-1]))
    if this_process() == 0:
        write(one_after_the_other(curves), trained)
        for step in steps:
            step.saved.forget()


def _trained(step: Step, collections: Mapping[str, TrainingFaces], curves: Curves) -> Trained:
    updates = int(curves[-1]["step"]) if curves else 0
    parts = parts_of_batch(list(collections), step.training.batch_size, step.training.shares)
    faces = {name: len(some) for name, some in collections.items()}
    passes = {name: round(updates * parts[name] / count, 3) for name, count in faces.items()}
    return Trained(step.name, faces, passes, updates)
