"""A training in several steps: what was done is not done again."""

import os
import signal
from functools import partial

import pytest

from lrfr.errors import InterruptedTrainingError
from lrfr.nn.compute import make_deterministic
from lrfr.nn.training.checkpoint import SavedState
from lrfr.nn.training.steps import Step, Trained, train_in_steps
from tests.nn.small_training import Recognition, collections, training, weights

UPDATES = {"first": 6, "second": 9, "third": 3}  # 24 faces, 8 at a time: 3 an epoch


class Watched(Recognition):
    """Tells what it does: the steps that it begins, and its updates."""

    def __init__(self, told, stop=None):
        super().__init__(4)
        self.told, self.stop, self.step = told, stop, ""

    def begin(self, step):
        self.step = step

    def losses(self, batch, context, optimizer):
        self.told.append((self.step, context.step))
        if (self.step, context.step) == self.stop:
            os.kill(os.getpid(), signal.SIGINT)
        return super().losses(batch, context, optimizer)


def run(folder, stop=None, write=None):
    """Three steps; the task, its updates, and what was written: curves and what each step learnt from."""
    make_deterministic(3, 1)
    told, written = [], []
    task = Watched(told, stop)
    steps = [
        Step(
            name,
            training(epochs=updates // 3),
            partial(collections, "native"),
            seed=number,
            saved=SavedState(folder / f"{name}.pt", name),
            live=folder / "live" / name,
        )
        for number, (name, updates) in enumerate(UPDATES.items())
    ]
    try:
        train_in_steps(task, steps, write or (lambda curves, trained: written.append((curves, trained))))
    except InterruptedTrainingError:
        assert stop
    return task, told, written


def left(folder):
    return {path.stem for path in folder.glob("*.pt")}


@pytest.mark.parametrize("stop", [("first", 2), ("second", 0), ("second", 4), ("second", 8), ("third", 1)])
def test_an_interrupted_training_repeats_nothing_and_ends_alike(tmp_path, stop):
    whole, all_updates, written = run(tmp_path / "whole")
    assert all_updates == [(name, update) for name, updates in UPDATES.items() for update in range(updates)]
    assert not left(tmp_path / "whole")
    _, before, nothing = run(tmp_path, stop)
    assert nothing == [] and before[-1] == stop
    assert left(tmp_path) == {name for name in UPDATES if name in dict(before)}  # of finished steps too
    task, after, rewritten = run(tmp_path)
    assert before + after == all_updates
    assert rewritten == written
    assert weights(task).equal(weights(whole))
    assert not left(tmp_path)


def test_the_curves_and_what_was_learnt_from_are_written_once(tmp_path):
    _, _, ((curves, trained),) = run(tmp_path)
    assert [row["step"] for row in curves] == [3, 6, 9, 12, 15, 18]
    assert trained == [
        Trained(name, {"native": 24}, {"native": updates / 3}, updates) for name, updates in UPDATES.items()
    ]


def test_what_could_not_be_written_is_not_trained_again(tmp_path):
    def full(curves, trained):
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        run(tmp_path, write=full)
    assert left(tmp_path) == set(UPDATES)
    _, told, written = run(tmp_path)
    assert told == [] and len(written) == 1
    assert not left(tmp_path)
