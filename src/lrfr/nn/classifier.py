"""Face recognition as classification: a backbone, a head for each collection of faces, cross entropy."""

from collections.abc import Mapping
from typing import Any

from torch import nn
from torch.nn import functional as F

from lrfr.nn.embedder import Embedder
from lrfr.nn.heads import Head, HeadSettings, PartialFC, build_head
from lrfr.nn.training.task import Batch, Faces, Optimizers, StepContext, Task, Terms


class Classifier(Task):
    """The task of the pretraining and of generic recognition.

    Args:
        embedder: the backbone, trained in place.
        settings: the heads'.
        num_classes: C of each collection, by its name; one of them is learnt from at a time, the first to begin with.
    """

    def __init__(self, embedder: Embedder, settings: HeadSettings, num_classes: Mapping[str, int]) -> None:
        super().__init__()
        self.embedder = embedder
        dimension = embedder.architecture.embedding_dim
        heads = {name: build_head(settings, dimension, count) for name, count in num_classes.items()}
        self.heads = nn.ModuleDict(heads)
        self.learn_from(next(iter(heads)))

    def learn_from(self, collection: str) -> None:
        """Trains the head of one collection, and leaves the others alone."""
        self._collection = collection
        for name, head in self.heads.items():
            head.requires_grad_(name == collection)

    @property
    def head(self) -> Head | PartialFC:
        """The head of the collection that is learnt from."""
        head: Any = self.heads[self._collection]
        return head

    def losses(self, batch: Batch, context: StepContext, optimizer: str) -> Terms:
        """Cross entropy over the logits with their margin, and the head's own terms."""
        (faces,) = batch.values()
        return self.head.losses(self.embedder(faces.images), faces.labels)

    def validation_losses(self, faces: Faces) -> Terms:
        """Cross entropy without the margin."""
        return {"classification": F.cross_entropy(self.head.plain(self.embedder(faces.images)), faces.labels)}

    def before_update(self, batch: Batch, context: StepContext, optimizers: Optimizers) -> None:
        """A head that samples draws its identities."""
        if isinstance(self.head, PartialFC):
            (faces,) = batch.values()
            self.head.draw(faces.labels, context.step, optimizers)

    def after_update(self, optimizers: Optimizers) -> None:
        """A head that samples takes the updated prototypes back."""
        if isinstance(self.head, PartialFC):
            self.head.write_back(optimizers)
