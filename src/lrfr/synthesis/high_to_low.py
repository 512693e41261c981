"""High-to-Low: a GAN that learns image degradation, with the noise of the camera in it; RAN's rival in its Table 1.

Bulat, Yang & Tzimiropoulos, "To learn image super-resolution, use a GAN to learn how to do image degradation first",
ECCV 2018, sections 3.1 and 3.3: the hinge loss under spectral normalisation, beta 0.05, and the distance of what is
made from the average-pooled HR face, alpha 1; five turns of the discriminator for one of the generator, Adam with 1e-4
and betas 0 and 0.9. The second network of that paper, Low-to-High, is super-resolution and has no place here.

Its faces have a quarter of ``size``: 16 px of 64 as published; RAN says that they cannot be recognised by themselves.
"""

from typing import Self

import torch
from pydantic import model_validator
from torch import nn
from torch.nn import functional as F

from lrfr.config import Count, Weight
from lrfr.nn.adversarial import accuracy
from lrfr.nn.embedder import Embedder
from lrfr.nn.resolution import to_size
from lrfr.nn.training.task import Batch, StepContext, Terms
from lrfr.nn.translation.high_to_low import DEEPEST, REDUCTION, HighToLow, SpectralDiscriminator
from lrfr.nn.translation.settings import Learned
from lrfr.nn.translation.task import Translation


class Settings(Learned):
    """Weights and turns.

    Attributes:
        pixel_weight: alpha; 1 as published.
        adversarial_weight: beta; 0.05.
        discriminator_turns: for each of the generator's; 5.
    """

    pixel_weight: Weight = 1.0
    adversarial_weight: Weight = 0.05
    discriminator_turns: Count = 5

    @model_validator(mode="after")
    def _can_be_halved(self) -> Self:
        if self.size % DEEPEST:
            raise ValueError(f"size must be a multiple of {DEEPEST} px: the network halves it four times")
        return self


def hinge_discriminator_loss(real: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    """E[max(0, 1 - D(y))] + E[max(0, 1 + D(G(x)))] of the discriminator's outputs."""
    return F.relu(1 - real.float()).mean() + F.relu(1 + made.float()).mean()


def hinge_generator_loss(made: torch.Tensor) -> torch.Tensor:
    """-E[D(G(x))]."""
    return -made.float().mean()


def degradation_loss(images: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    """The squared distance of made faces (B, 3, h, w) from HR ones (B, 3, H, W), average-pooled; the mean."""
    return F.mse_loss(made.float(), F.avg_pool2d(images.float(), images.shape[2] // made.shape[2]))


def generator(settings: Settings, presentation: str) -> HighToLow:
    """The generator, freshly initialised."""
    return HighToLow(settings.size, settings.width)


def task(settings: Settings, presentation: str, expert: Embedder, shown: torch.Tensor) -> "Degrading":
    """Its training, which asks no expert."""
    return Degrading(settings, generator(settings, presentation), shown)


class Degrading(Translation):
    """The generator against one discriminator, which sees faces of a quarter of the size.

    Args:
        settings: of the synthesiser.
        network: the generator.
        shown: as :class:`Translation`.
    """

    def __init__(self, settings: Settings, network: HighToLow, shown: torch.Tensor) -> None:
        super().__init__(settings, network, shown)
        self.settings, self.low = settings, settings.size // REDUCTION
        self.judge = SpectralDiscriminator(self.low, settings.width)

    def discriminators(self) -> nn.Module:
        """The one."""
        return self.judge

    def turns(self, step: int) -> tuple[str, ...]:
        """The discriminator at every update, the generator at every fifth."""
        is_generators = (step + 1) % self.settings.discriminator_turns == 0
        return ("discriminator", "main") if is_generators else ("discriminator",)

    def losses(self, batch: Batch, context: StepContext, optimizer: str) -> Terms:
        """The generator's terms, or the discriminator's."""
        images = batch["hr"].images
        if optimizer == "discriminator":
            with torch.no_grad():
                made = self.generator(images, self.drawn)
            real = to_size(batch["lr"].images, (self.low, self.low))
            outputs, of_made = self.judge(real), self.judge(made)
            self.observe(accuracy=accuracy(outputs, of_made, threshold=0.0))
            return {"adversarial": hinge_discriminator_loss(outputs, of_made)}
        made = self.generator(images, self.drawn)
        return {
            "adversarial": self.settings.adversarial_weight * hinge_generator_loss(self.judge(made)),
            "pixel": self.settings.pixel_weight * degradation_loss(images, made),
        }

    def pixel(self, images: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """The distance from average-pooled faces."""
        return degradation_loss(images, self.generator(images, noise))
