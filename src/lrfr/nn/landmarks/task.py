"""What the training loop asks of landmark localisation."""

from lrfr.nn.landmarks.network import CNN6
from lrfr.nn.landmarks.settings import Wing
from lrfr.nn.landmarks.wing import wing_loss
from lrfr.nn.training.task import Batch, Faces, StepContext, Task, Terms


class Localisation(Task):
    """CNN-6 under the Wing loss. The faces' ``labels`` are points (B, 10), px of the 64 px input.

    Args:
        network: the one to train.
        wing: the loss.
    """

    def __init__(self, network: CNN6, wing: Wing) -> None:
        super().__init__()
        self.network, self._wing = network, wing

    def losses(self, batch: Batch, context: StepContext, optimizer: str) -> Terms:
        """The Wing loss of the views."""
        return self.validation_losses(batch["auxiliary"])

    def validation_losses(self, faces: Faces) -> Terms:
        """The Wing loss of whole faces."""
        points = self.network(faces.images)
        return {"wing": wing_loss(points, faces.labels, self._wing.w, self._wing.epsilon)}
