"""Face recognition as classification: a backbone, a head, cross entropy."""

from torch.nn import functional as F

from lrfr.nn.embedder import Embedder
from lrfr.nn.heads import HeadSettings, PartialFC, build_head
from lrfr.nn.training.task import Batch, Faces, Optimizers, StepContext, Task, Terms


class Classifier(Task):
    """The task of the pretraining and of every baseline.

    Args:
        embedder: the backbone, trained in place.
        settings: the head's.
        num_classes: C.
    """

    def __init__(self, embedder: Embedder, settings: HeadSettings, num_classes: int) -> None:
        super().__init__()
        self.embedder = embedder
        self.head = build_head(settings, embedder.architecture.embedding_dim, num_classes)

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
