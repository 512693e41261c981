"""MR-GAN: multi-resolution generation of realistic LR faces, learnt from unpaired HR and LR ones.

Fang, Deng, Zhong & Hu, "Generate to Adapt: Resolution Adaption Network for Surveillance Face Recognition" (RAN), ECCV
2020, sections 3.2, 3.3 and 4.2. The networks are in :mod:`lrfr.nn.translation.mrgan`.

Where the paper is silent:

- **The norms of eq 2 and 5** are means, over the features and over the pixels, as eq 4's is: summed, 6,970 pixels of
  the attention's centre would outweigh everything else.
- **What the expert sees**: the HR face and the LR one made of it, at its own input size, which is the generator's; its
  features are the embedding.
- **Turns**: one of the discriminators, then one of the generator, by the same noise.
- **The discriminators** are PatchGAN's (:mod:`lrfr.nn.translation.discriminators`): three strides for the whole face,
  two for a patch. Their terms and those of the generator are sums over the four, as eq 3 has them.
"""

from collections.abc import Mapping
from typing import Annotated, Self

import torch
from annotated_types import Len
from pydantic import Field, model_validator
from torch import nn

from lrfr.config import Count, Pixels, Weight
from lrfr.core.alignment import is_aligned
from lrfr.errors import ParameterError
from lrfr.nn.adversarial import accuracy, discriminator_loss, generator_loss
from lrfr.nn.embedder import Embedder
from lrfr.nn.training.task import Batch, StepContext, Terms
from lrfr.nn.translation.discriminators import PatchDiscriminator
from lrfr.nn.translation.mrgan import Made, MultiResolutionGenerator
from lrfr.nn.translation.patches import Box, central, patches
from lrfr.nn.translation.settings import Learned
from lrfr.nn.translation.task import Translation

WHOLE = "whole"
SMALLEST = 24  # px; below, a patch has no middle that can be normalised


class Settings(Learned):
    """The three resolutions, and the weights of eq 6.

    Attributes:
        sides: of x_r1, x_r2 and x_r3, px, falling: the shortest side that HR faces are shrunk to.
        adversarial_weight: lambda_1; 2 as published.
        perceptual_weight: lambda_2; 20.
        pixel_weight: lambda_3; 20.
        attention_weight: lambda_4; 0.4.
        pixel_every: generator iterations from one pixel term to the next; 5.
    """

    size: int = Field(ge=SMALLEST, le=1024)
    sides: Annotated[list[Pixels], Len(3, 3)]
    adversarial_weight: Weight = 2.0
    perceptual_weight: Weight = 20.0
    pixel_weight: Weight = 20.0
    attention_weight: Weight = 0.4
    pixel_every: Count = 5

    @model_validator(mode="after")
    def _resolutions_fall(self) -> Self:
        if not self.size >= self.sides[0] > self.sides[1] > self.sides[2]:
            raise ValueError(f"sides are three, each below the one before, and the first at most size, {self.size} px")
        return self


def perceptual_loss(features: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    """eq 2: the L1 distance of the expert's features of HR faces and of what is made of them, (B, D) each; the mean."""
    return (features.float() - made.float()).abs().mean()


def adversarial_discriminator_loss(
    real: Mapping[str, torch.Tensor], made: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """eq 3, first line: the term of each discriminator, by its name, of its outputs for real and for made faces."""
    return {name: discriminator_loss(real[name], made[name]) for name in real}


def adversarial_generator_loss(made: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """eq 3, second line: the sum over the discriminators' outputs for made faces, by their names."""
    return torch.stack([generator_loss(output) for output in made.values()]).sum()


def pixel_loss(made: torch.Tensor, lowest: torch.Tensor) -> torch.Tensor:
    """eq 4: the L1 distance of made faces from x_r3, (B, 3, H, W) each, over W x H x C, mean over the batch."""
    return (made.float() - lowest.float()).abs().mean()


def attention_loss(attention: torch.Tensor, centre: Box) -> torch.Tensor:
    """eq 5: how far the attention (B, 1, H, W), 0..1, is from 0 in the centre, and from 1 at the edge; means."""
    top, left, bottom, right = centre
    inside = torch.zeros_like(attention, dtype=torch.bool)
    inside[:, :, top:bottom, left:right] = True
    edge = attention[~inside]
    return attention[inside].abs().mean() + ((edge - 1).abs().mean() if edge.numel() else edge.sum())


def check(settings: Settings, presentation: str, input_size: tuple[int, int], where: str) -> None:
    """Checks what its backbone, the expert, brings; ``where`` is the synthesiser's place in params.yaml.

    Raises:
        ParameterError: faces are not aligned, or the expert takes faces of another size.
    """
    if not is_aligned(presentation):
        what = f"MR-GAN refines eyes, nose and mouth at fixed places of aligned faces, and '{settings.backbone}' takes "
        remedy = "name a backbone with `presentation: arcface_112`"
        raise ParameterError(f"{what}them {presentation}", where=f"{where}.backbone", remedy=remedy)
    if input_size != (settings.size, settings.size):
        height, width = input_size
        what = f"the expert '{settings.backbone}' takes faces of {height} x {width} px, and size is {settings.size} px"
        remedy = f"set size to {height}, or name another backbone" if height == width else "name another backbone"
        raise ParameterError(what, where=f"{where}.size", remedy=remedy)


def generator(settings: Settings, presentation: str) -> MultiResolutionGenerator:
    """The generator, freshly initialised: it gives x_r3, but for what merging adds."""
    return MultiResolutionGenerator(settings.sides, patches(presentation, settings.size), settings.width)


def task(settings: Settings, presentation: str, expert: Embedder, shown: torch.Tensor) -> "MultiResolutionGan":
    """Its training."""
    return MultiResolutionGan(settings, generator(settings, presentation), expert, shown)


class MultiResolutionGan(Translation):
    """The generator against four discriminators, under an expert that tells whom a face shows.

    Args:
        settings: of the synthesiser.
        network: the generator.
        expert: stays as it is.
        shown: as :class:`Translation`.
    """

    def __init__(
        self, settings: Settings, network: MultiResolutionGenerator, expert: Embedder, shown: torch.Tensor
    ) -> None:
        super().__init__(settings, network, shown)
        self.settings, self.boxes, self.centre = settings, network.boxes, central(settings.size)
        strides = {WHOLE: 3, **dict.fromkeys(self.boxes, 2)}
        self.judges = nn.ModuleDict(
            {name: PatchDiscriminator(settings.width, number) for name, number in strides.items()}
        )
        self.expert = expert.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "MultiResolutionGan":
        """The expert stays in evaluation mode."""
        super().train(mode)
        self.expert.eval()
        return self

    def discriminators(self) -> nn.Module:
        """The four of eq 3."""
        return self.judges

    def losses(self, batch: Batch, context: StepContext, optimizer: str) -> Terms:
        """eq 6: the discriminators' line, or the generator's, weighted."""
        if optimizer == "discriminator":
            with torch.no_grad():
                made = self._made(batch["hr"].images, self.drawn).images
            return self._discriminating(batch["lr"].images, made)
        return self._generating(batch["hr"].images, self._made(batch["hr"].images, self.drawn), context.step)

    def _discriminating(self, real: torch.Tensor, made: torch.Tensor) -> Terms:
        outputs, of_made = self._judged(real), self._judged(made)
        self.observe(accuracy=torch.stack([accuracy(outputs[name], of_made[name]) for name in outputs]).mean())
        terms = adversarial_discriminator_loss(outputs, of_made)
        return {f"adversarial_{name}": self.settings.adversarial_weight * term for name, term in terms.items()}

    def _generating(self, images: torch.Tensor, made: Made, step: int) -> Terms:
        chosen = self.settings
        with torch.no_grad():
            known = self._features(images)
        terms = {
            "adversarial": chosen.adversarial_weight * adversarial_generator_loss(self._judged(made.images)),
            "perceptual": chosen.perceptual_weight * perceptual_loss(known, self._features(made.images)),
            "attention": chosen.attention_weight * attention_loss(made.attention, self.centre),
        }
        if (step + 1) % chosen.pixel_every == 0:
            terms["pixel"] = chosen.pixel_weight * pixel_loss(made.images, made.lowest)
        return terms

    def pixel(self, images: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """eq 4 of HR faces."""
        made = self._made(images, noise)
        return pixel_loss(made.images, made.lowest)

    def _made(self, images: torch.Tensor, noise: torch.Tensor) -> Made:
        return self.generator.made(images, noise)  # pyrefly: ignore - of this generator

    def _judged(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """Each discriminator's outputs for its part of faces (B, 3, H, W)."""
        parts = {WHOLE: images}
        for name, (top, left, bottom, right) in self.boxes.items():
            parts[name] = images[:, :, top:bottom, left:right]
        return {name: judge(parts[name]) for name, judge in self.judges.items()}

    def _features(self, images: torch.Tensor) -> torch.Tensor:
        return self.expert.recognise(self.expert.super_resolve(images))
