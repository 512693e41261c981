"""Trainings of a second: tiny networks on a few faces."""

import torch
from torch import nn
from torch.nn import functional as F

from lrfr.nn.compute import make_deterministic
from lrfr.nn.training.checkpoint import SavedState
from lrfr.nn.training.loop import train
from lrfr.nn.training.settings import Training
from lrfr.nn.training.task import Task
from tests.face_tables import face_table, labelled_of

SETTINGS = {
    "epochs": 3,
    "batch_size": 8,
    "learning_rate": 0.05,
    "momentum": 0.9,
    "weight_decay": 1e-4,
    "schedule": "cosine",
    "warmup_epochs": 1,
    "clip_norm": 5,
    "precision": "fp32",
}
ADAM = {"optimizer": "adam", "momentum": None, "learning_rate": 0.01}
DISCRIMINATOR = {"optimizer": "adam", "learning_rate": 2e-3, "betas": [0.5, 0.999], "weight_decay": 0}


def training(**changes):
    return Training(**(SETTINGS | changes))


def features(dropout):
    """Images (B, 3, 16, 16) to (B, 8), with both kinds of batch normalisation."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Dropout(dropout), nn.Linear(392, 8),
        nn.BatchNorm1d(8, affine=False),
    )  # fmt: skip


class Recognition(Task):
    """Cross entropy, and a second term; ``act`` is called at the update ``at``, as a user or a defect would."""

    def __init__(self, classes, dropout=0.3):
        super().__init__()
        self.embedder, self.head = features(dropout), nn.Linear(8, classes)
        self.at, self.act = -1, lambda: None

    def losses(self, batch, context, optimizer):
        if context.step == self.at:
            self.act()
        embeddings, labels = zip(
            *((self.embedder(faces.images), faces.labels) for faces in batch.values()), strict=True
        )
        embedding = torch.cat(embeddings)
        noise = float(context.rng.random()) if self.embedder[4].p else 0.5
        return {
            "classification": F.cross_entropy(self.head(embedding), torch.cat(labels)),
            "length": noise * 1e-3 * embedding.square().sum() * context.world_size,
        }

    def validation_losses(self, faces):
        return {"classification": F.cross_entropy(self.head(self.embedder(faces.images)), faces.labels)}


class Adversarial(Recognition):
    """A discriminator learns to tell the collections apart at every other update, the embedder to deceive it."""

    def __init__(self, classes, dropout=0.3):
        super().__init__(classes, dropout)
        self.discriminator = nn.Linear(8, 1)

    def parameter_groups(self):
        main = [*self.embedder.parameters(), *self.head.parameters()]
        return {"main": [{"params": main}], "discriminator": [{"params": list(self.discriminator.parameters())}]}

    def turns(self, step):
        return ("discriminator", "main") if step % 2 else ("main",)

    def losses(self, batch, context, optimizer):
        auxiliary, native = (self.discriminator(self.embedder(batch[name].images)) for name in ("auxiliary", "native"))
        if optimizer == "discriminator":
            return {"adversarial": (auxiliary - 1).square().mean() + native.square().mean()}
        terms = super().losses(batch, context, optimizer)
        return terms | {"adversarial": 0.1 * (native - 1).square().mean()}


def collections(*names):
    """The training faces of each collection, and validation faces."""
    table = face_table(people=4, images=8, splits=("train", "train", "train", "validation"))
    faces, validation, _ = labelled_of(table, (16, 16))
    return dict.fromkeys(names, faces), validation


def run(folder, kind=Recognition, chosen=None, names=("native",), at=-1, act=lambda: None, fingerprint="same", **more):
    """Trains in ``folder``; the task and the curves."""
    faces, validation = collections(*names)
    make_deterministic(3, 1)
    task = kind(4, **more)
    task.at, task.act = at, act
    state = SavedState(folder / "state.pt", fingerprint)
    return task, train(task, faces, validation, chosen or training(), 3, state)


def weights(task):
    """All that a task has learnt, in one vector."""
    return torch.cat([value.flatten().double() for value in task.state_dict().values()])
