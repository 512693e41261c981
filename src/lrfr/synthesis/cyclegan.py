"""CycleGAN: unpaired translation between HR and LR faces that can be undone; RAN's rival in its Table 1.

Zhu, Park, Isola & Efros, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", ICCV 2017.
Two generators, HR to LR and back, and a discriminator of either side; least squares (section 4), cycle consistency with
lambda 10 (eq 2, 3), discriminators that see 50 earlier faces (section 4), Adam with 2e-4. The identity term of section
5.2 is left out unless it has a weight; the paper has it for colours of paintings. Only HR to LR is kept.
"""

import torch
from torch import nn

from lrfr.config import Count, Weight
from lrfr.nn.adversarial import accuracy, discriminator_loss, generator_loss
from lrfr.nn.embedder import Embedder
from lrfr.nn.training.task import Batch, StepContext, Terms
from lrfr.nn.translation.cyclegan import ResnetGenerator
from lrfr.nn.translation.discriminators import PatchDiscriminator
from lrfr.nn.translation.settings import Learned
from lrfr.nn.translation.task import Translation

SIDES = ("hr", "lr")


class Settings(Learned):
    """Weights of the terms.

    Attributes:
        cycle_weight: lambda of eq 3; 10 as published.
        identity_weight: of the identity term, a share of lambda; 0 where it is left out.
        kept: made faces that the discriminators see again later; 50 as published.
    """

    cycle_weight: Weight = 10.0
    identity_weight: Weight = 0.0
    kept: Count = 50


def cycle_loss(images: torch.Tensor, back: torch.Tensor) -> torch.Tensor:
    """eq 2: the L1 distance of faces from what comes back of them, (B, 3, H, W) each; the mean over all values."""
    return (back.float() - images.float()).abs().mean()


def generator(settings: Settings, presentation: str) -> ResnetGenerator:
    """HR to LR, freshly initialised."""
    return ResnetGenerator(settings.width)


def task(settings: Settings, presentation: str, expert: Embedder, shown: torch.Tensor) -> "CycleGan":
    """Its training, which asks no expert."""
    return CycleGan(settings, generator(settings, presentation), shown)


class CycleGan(Translation):
    """Two generators against two discriminators.

    Args:
        settings: of the synthesiser.
        network: HR to LR.
        shown: as :class:`Translation`.
    """

    def __init__(self, settings: Settings, network: ResnetGenerator, shown: torch.Tensor) -> None:
        super().__init__(settings, network, shown)
        self.settings = settings
        self.back = ResnetGenerator(settings.width)
        self.judges = nn.ModuleDict({side: PatchDiscriminator(settings.width) for side in SIDES})
        self.pools = nn.ModuleDict({side: _Pool(settings.kept, settings.size) for side in SIDES})

    def discriminators(self) -> nn.Module:
        """That of HR faces and that of LR ones."""
        return self.judges

    def turns(self, step: int) -> tuple[str, ...]:
        """The generators first: what they made is what the discriminators see."""
        return "main", "discriminator"

    def losses(self, batch: Batch, context: StepContext, optimizer: str) -> Terms:
        """The generators' terms, or the discriminators'."""
        real = {side: batch[side].images for side in SIDES}
        return self._generating(real) if optimizer == "main" else self._discriminating(real, context)

    def _generating(self, real: dict[str, torch.Tensor]) -> Terms:
        made = {"lr": self._low(real["hr"]), "hr": self._high(real["lr"])}
        self.made = {side: images.detach() for side, images in made.items()}
        back = {"hr": self._high(made["lr"]), "lr": self._low(made["hr"])}
        weight = self.settings.cycle_weight
        terms: Terms = {}
        for side in SIDES:
            terms[f"adversarial_{side}"] = generator_loss(self.judges[side](made[side]))
            terms[f"cycle_{side}"] = weight * cycle_loss(real[side], back[side])
        if self.settings.identity_weight:
            same = cycle_loss(real["lr"], self._low(real["lr"])) + cycle_loss(real["hr"], self._high(real["hr"]))
            terms["identity"] = self.settings.identity_weight * weight * same
        return terms

    def _discriminating(self, real: dict[str, torch.Tensor], context: StepContext) -> Terms:
        terms, right = {}, []
        for side in SIDES:
            earlier = self.pools[side](self.made[side], context)
            outputs, of_made = self.judges[side](real[side]), self.judges[side](earlier)
            terms[f"adversarial_{side}"] = discriminator_loss(outputs, of_made) / 2  # section 7.1
            right.append(accuracy(outputs, of_made))
        self.observe(accuracy=torch.stack(right).mean())
        return terms

    def pixel(self, images: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """eq 2 of HR faces, there and back."""
        return cycle_loss(images, self._high(self._low(images)))

    def _low(self, images: torch.Tensor) -> torch.Tensor:
        return self.generator(images, images.new_empty(len(images), 0))

    def _high(self, images: torch.Tensor) -> torch.Tensor:
        return self.back(images, images.new_empty(len(images), 0))


class _Pool(nn.Module):
    """Made faces, of which the discriminator sees an earlier one in place of every other new one, once it is full
    (Shrivastava et al., CVPR 2017). It is saved with the training; several processes keep what the first one made."""

    faces: torch.Tensor
    count: torch.Tensor

    def __init__(self, kept: int, size: int) -> None:
        super().__init__()
        self.register_buffer("faces", torch.zeros(kept, 3, size, size))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def forward(self, made: torch.Tensor, context: StepContext) -> torch.Tensor:
        shown = made.clone()
        for number, image in enumerate(made):
            count = int(self.count)
            if count < len(self.faces):
                self.faces[count] = image
                self.count += 1
            elif context.rng.random() < 0.5:
                place = int(context.rng.integers(len(self.faces)))
                shown[number] = self.faces[place]
                self.faces[place] = image
        return shown
