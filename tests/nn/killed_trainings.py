"""Trains once whole, and once killed again and again; prints the name of each training that ends alike.

A process of its own, with nothing computed yet, so that every training is a fork of it.
"""

import os
import pickle
import signal
import sys
from pathlib import Path

import lightning_fabric  # noqa: F401 - once, for all forks
import numpy as np
import pandas  # noqa: F401

from lrfr.nn.training import loop
from tests.nn.small_training import ADAM, DISCRIMINATOR, Adversarial, Recognition, run, training, weights

loop.SECONDS_BETWEEN_CHECKPOINTS = 0.0
TRAININGS = {
    "sgd": (Recognition, training(), ("native",)),
    "balanced": (Recognition, training(images_per_identity=2, schedule="plateau", warmup_epochs=0), ("native",)),
    "adversarial": (
        Adversarial,
        training(optimizers={"discriminator": DISCRIMINATOR}, ema_decay=0.9, validation_sides=[8], **ADAM),
        ("auxiliary", "native"),
    ),
}


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def in_a_fork(work):
    """What ``work`` does; how its process ended."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kept(folder, name, **more):
    def work():
        kind, chosen, names = TRAININGS[name]
        task, curves = run(folder, kind, chosen, names, **more)
        (folder / "end").write_bytes(pickle.dumps((weights(task).numpy().tobytes(), curves)))

    return work


def killed_while_saving(folder, name, step):
    def work():
        os.fsync = lambda *_: die()
        kept(folder, name, at=step)()

    return work


def main(place):
    rng = np.random.default_rng(0)
    for name in TRAININGS:
        whole, cut = place / name / "whole", place / name / "cut"
        assert in_a_fork(kept(whole, name)) == 0
        for step in sorted(rng.choice(np.arange(1, 9), 2, replace=False).tolist()):
            assert in_a_fork(kept(cut, name, at=step, act=die)) == -signal.SIGKILL
        assert in_a_fork(killed_while_saving(cut, name, step)) == -signal.SIGKILL
        assert in_a_fork(kept(cut, name)) == 0
        if pickle.loads((whole / "end").read_bytes()) == pickle.loads((cut / "end").read_bytes()):
            print("alike:", name, flush=True)  # or every fork would say it again


main(Path(sys.argv[1]))
