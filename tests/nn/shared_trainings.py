"""What the processes of one torchrun train together: the same as one process, until one of them is to stop."""

import os
import signal
import sys
from pathlib import Path

import torch

from lrfr.errors import TrainingError
from lrfr.nn.processes import one_of_several, processes, this_process
from lrfr.nn.training import validation
from tests.nn.small_training import ADAM, DISCRIMINATOR, Adversarial, Recognition, run, training

TRAININGS = {
    "alone": (Recognition, training(), ("native",)),
    "adversarial": (
        Adversarial,
        training(optimizers={"discriminator": DISCRIMINATOR}, ema_decay=0.9, validation_sides=[8], **ADAM),
        ("auxiliary", "native"),
    ),
}


def train_all(place):
    """Keeps the curves and the weights of every training."""
    for name, (kind, chosen, names) in TRAININGS.items():
        task, curves = run(place / name, kind, chosen, names, dropout=0.0)
        if this_process() == 0:
            torch.save((curves, task.state_dict()), place / f"{name}.pt")


class BrokenInOne(Recognition):
    """In the second process, one loss is not a number."""

    def losses(self, batch, context, optimizer):
        terms = super().losses(batch, context, optimizer)
        broken = this_process() == 1 and context.step == 2
        return terms | {"broken": terms["length"] * (torch.nan if broken else 1)}


def main(place):
    assert processes() == 2
    validation.BATCH = 3  # so that both have something to validate, and not the same
    with one_of_several():
        train_all(place)
        try:
            run(place / "broken", BrokenInOne)
        except TrainingError as error:
            (place / f"broken{this_process()}.txt").write_text(str(error))
        run(
            place / "stopped",
            dropout=0.0,
            at=4,
            act=lambda: this_process() == 1 and os.kill(os.getpid(), signal.SIGTERM),
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
