"""What the trainings of all translators have in common."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from lrfr.nn.adversarial import Saturation
from lrfr.nn.compute import as_deployed
from lrfr.nn.training.task import Batch, Faces, Optimizers, StepContext, Task, Terms
from lrfr.nn.translation.settings import Learned

SHOWN_FACES, SHOWN_EPOCHS = 8, 8  # in the sheet of samples


class Translation(Task):
    """A generator, trained against discriminators on HR faces and on LR ones that show others; its batches hold the
    collections ``hr`` and ``lr``.

    Args:
        settings: the synthesiser's.
        generator: HR faces (B, 3, S, S), values 0..1, and noise (B, ``noise``) to LR faces, values 0..1.
        shown: HR faces (n, 3, S, S), values 0..1, of which the sheet of samples shows the LR versions.
    """

    shown: torch.Tensor
    shown_noise: torch.Tensor
    epochs_made: torch.Tensor
    sheets: torch.Tensor

    def __init__(self, settings: Learned, generator: nn.Module, shown: torch.Tensor) -> None:
        super().__init__()
        self.generator = generator
        self.register_buffer("shown", shown)
        self.register_buffer("shown_noise", torch.randn(len(shown), self.noise))
        epochs = settings.training.epochs
        self.sheet_epochs = sorted(set(np.linspace(1, epochs, min(epochs, SHOWN_EPOCHS)).round().astype(int).tolist()))
        self.register_buffer("epochs_made", torch.zeros((), dtype=torch.int64))
        with torch.no_grad(), as_deployed(generator):
            sample = generator(shown[:1], self.shown_noise[:1])
        shape = len(self.sheet_epochs) * len(shown), *sample.shape[1:]
        self.register_buffer("sheets", torch.zeros(shape, dtype=torch.uint8))  # saved, so that none is lost
        collapse = settings.collapse
        self.saturation = Saturation(
            "discriminator's accuracy", 1 - collapse.accuracy, collapse.accuracy, collapse.window
        )
        self._observed: Terms = {}

    @property
    def noise(self) -> int:
        """How many random numbers the generator takes for a face."""
        noise: int = self.generator.noise  # pyrefly: ignore - every generator has it
        return noise

    def discriminators(self) -> nn.Module:
        """All of them."""
        raise NotImplementedError

    def parameter_groups(self) -> dict[str, list[dict[str, object]]]:
        """``main``: what makes faces; ``discriminator``: what judges them."""
        judges = list(self.discriminators().parameters())
        known = {id(parameter) for parameter in judges}
        makers = [value for value in self.parameters() if value.requires_grad and id(value) not in known]
        return {"main": [{"params": makers}], "discriminator": [{"params": judges}]}

    def before_update(self, batch: Batch, context: StepContext, optimizers: Optimizers) -> None:
        """Draws the noise of the batch's HR faces, the same for both players."""
        images = batch["hr"].images
        drawn = context.rng.standard_normal((len(images) * context.world_size, self.noise), np.float32)
        self.drawn = torch.from_numpy(drawn[len(images) * context.rank :][: len(images)]).to(images.device)

    def observed(self) -> Terms:
        """The discriminators' accuracy, where they had their turn."""
        seen, self._observed = self._observed, {}
        return seen

    def observe(self, **values: torch.Tensor) -> None:
        """Keeps values for the curves."""
        self._observed = dict(values)

    def watch(self, values: Mapping[str, float], step: int) -> None:
        """Stops where one of the players has won."""
        if "discriminator_accuracy" in values:
            self.saturation.see(values["discriminator_accuracy"], step)

    def validation_losses(self, faces: Faces) -> Terms:
        """How far what is made of HR faces is from what should stay of them."""
        noise = torch.zeros(len(faces.images), self.noise, device=faces.images.device)
        return {"pixel": self.pixel(faces.images, noise)}

    def pixel(self, images: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """The pixel term of HR faces, without its weight."""
        raise NotImplementedError

    @torch.no_grad()
    def end_epoch(self, step: int) -> np.ndarray | None:
        """Makes the samples of the epoch, and lays out all that were made, below the HR faces."""
        self.epochs_made += 1
        epoch = int(self.epochs_made)
        if epoch in self.sheet_epochs:
            with as_deployed(self.generator):
                made = self.generator(self.shown, self.shown_noise)
            self._sheet(epoch).copy_(made.mul(255).round().byte())
        size = self.shown.shape[-1]
        return np.concatenate([_enlarged(strip, size) for strip in self.strips().values()])

    def strips(self) -> dict[str, np.ndarray]:
        """The HR faces side by side, RGB (S, n S, 3), uint8, and their LR versions after some of the epochs that were
        made, by what they are."""
        named = {"hr": self.shown.mul(255).round().byte()}
        done = [epoch for epoch in self.sheet_epochs if epoch <= int(self.epochs_made)]
        named |= {f"epoch_{epoch:04}": self._sheet(epoch) for epoch in done}
        return {name: side_by_side(images) for name, images in named.items()}

    def _sheet(self, epoch: int) -> torch.Tensor:
        """The LR versions of an epoch (n, 3, s, s), uint8."""
        return self.sheets.chunk(len(self.sheet_epochs))[self.sheet_epochs.index(epoch)]


def side_by_side(images: torch.Tensor) -> np.ndarray:
    """Faces (n, 3, H, W), uint8, as one picture (H, n W, 3), uint8."""
    return np.ascontiguousarray(images.cpu().permute(2, 0, 3, 1).flatten(1, 2).numpy())


def _enlarged(strip: np.ndarray, height: int) -> np.ndarray:
    factor = height // len(strip)
    return strip.repeat(factor, axis=0).repeat(factor, axis=1)
