"""MR-GAN's generator: three resolutions in parallel sub-networks, and patches of the lowest one (Fang, Deng, Zhong &
Hu, "Generate to Adapt: Resolution Adaption Network for Surveillance Face Recognition", ECCV 2020, section 3.2, Figs. 2
and 3).

The paper's supplement, which has the layers, is not at hand. What was chosen:

- **Sub-networks** begin with three convolutions, of 7 px with stride 1 and of 3 px with stride 2 twice, as CycleGAN's
  generator, so that all three streams have one height and width, a quarter of the image's; 32 channels at first.
- **Two fusions**, each behind a residual block in every stream: the second stream takes in the first, the third the
  second. Either side goes through squeeze and excitation before they are joined, and both together after.
- **The noise** z is 16 numbers, joined to the lowest stream before it is decoded, and to each patch's features.
- **The residual face** of eq 1 is the lowest resolution and what the network adds to it; at first it adds nothing.
- **Merging**: the global face, and three copies of it that have one refined patch each, go through two 1 x 1
  convolutions, whose result is added to the global face. That enters, as the residual face does, by 1 - A: where the
  attention is 1 the output is the lowest resolution, of the merged face too.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from lrfr.nn.resolution import at_resolution
from lrfr.nn.translation.layers import (
    Enlarging,
    Residual,
    SqueezeAndExcitation,
    convolution,
    initialise,
    scaled,
    with_noise,
)
from lrfr.nn.translation.patches import Box

CHANNELS = 32  # of the first layer
STREAMS, FUSIONS = 3, 2
NOISE = 16


class Made(NamedTuple):
    """What the generator makes of faces.

    Attributes:
        images: G(x), (B, 3, H, W), values 0..1.
        attention: G^A, (B, 1, H, W), values 0..1.
        lowest: x_r3, (B, 3, H, W), values 0..1.
    """

    images: torch.Tensor
    attention: torch.Tensor
    lowest: torch.Tensor


def attended(attention: torch.Tensor, lowest: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
    """eq 1: A x_r3 + (1 - A) G^R, of the attention (B, 1, H, W) and two faces (B, 3, H, W)."""
    return attention * lowest + (1 - attention) * residual


class MultiResolutionGenerator(nn.Module):
    """HR faces and noise to LR faces of the same size (Fig. 2).

    Args:
        sides: of x_r1, x_r2 and x_r3, px, the largest first: the shortest side that faces are shrunk to.
        boxes: where the patches are, by their names.
        width: factor on the channels.
    """

    noise = NOISE

    def __init__(self, sides: Sequence[int], boxes: Mapping[str, Box], width: float) -> None:
        super().__init__()
        self.sides, self.boxes = tuple(sides), dict(boxes)
        first = scaled(CHANNELS, width)
        channels = [4 * first] * STREAMS
        self.encoders = nn.ModuleList(_encoder(first) for _ in range(STREAMS))
        self.blocks, self.fusions = nn.ModuleList(), nn.ModuleList()
        for _ in range(FUSIONS):
            self.blocks.append(nn.ModuleList(Residual(number) for number in channels))
            fusions = nn.ModuleList()
            for stream in range(1, STREAMS):
                fusions.append(Fusion(channels[stream - 1], channels[stream]))
                channels[stream] += channels[stream - 1]
            self.fusions.append(fusions)
        self.decoder = _Decoder(channels[-1] + NOISE, first, 4)
        self.refiners = nn.ModuleDict({name: PatchRefiner(first) for name in boxes})
        self.merge = nn.Sequential(nn.Conv2d(3 * (1 + len(boxes)), first, 1), nn.LeakyReLU(0.2), nn.Conv2d(first, 3, 1))
        initialise(self)
        for last in (self.decoder.last, *(refiner.decoder.last for refiner in self.refiners.values())):  # pyrefly: ignore
            nn.init.zeros_(last.weight)  # pyrefly: ignore - a convolution

    def forward(self, images: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """HR faces (B, 3, H, W), values 0..1, and noise (B, Z) to LR faces (B, 3, H, W), values 0..1."""
        return self.made(images, noise).images

    def made(self, images: torch.Tensor, noise: torch.Tensor) -> Made:
        """The same, with the attention and the lowest resolution."""
        streams = [at_resolution(images, side, "bicubic", "bicubic") for side in self.sides]
        lowest = streams[-1]
        residual, attention = self._global(streams, noise)
        whole = attended(attention, lowest, (lowest + residual).clamp(0, 1))
        refined = [whole, *(self._refined(name, whole, lowest, noise) for name in self.boxes)]
        merged = (whole + self.merge(torch.cat(refined, 1))).clamp(0, 1)
        return Made(attended(attention, lowest, merged), attention, lowest)

    def _global(self, streams: list[torch.Tensor], noise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        size = (streams[0].shape[2], streams[0].shape[3])
        features = [encoder(2 * images - 1) for encoder, images in zip(self.encoders, streams, strict=True)]
        for blocks, fusions in zip(self.blocks, self.fusions, strict=True):
            features = [block(some) for block, some in zip(blocks, features, strict=True)]  # pyrefly: ignore
            for stream, fusion in enumerate(fusions, start=1):  # pyrefly: ignore - a list
                features[stream] = fusion(features[stream - 1], features[stream])
        decoded = self.decoder(with_noise(features[-1], noise), size)
        return decoded[:, :3], decoded[:, 3:].sigmoid()

    def _refined(self, name: str, whole: torch.Tensor, lowest: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """The global face with one patch in its place, refined from the lowest resolution."""
        top, left, bottom, right = self.boxes[name]
        patch = self.refiners[name](lowest[:, :, top:bottom, left:right], noise)
        inside = F.pad(torch.ones_like(patch[:, :1]), self._around(name, whole))
        return whole * (1 - inside) + F.pad(patch, self._around(name, whole))

    def _around(self, name: str, whole: torch.Tensor) -> list[int]:
        top, left, bottom, right = self.boxes[name]
        return [left, whole.shape[3] - right, top, whole.shape[2] - bottom]


class Fusion(nn.Module):
    """Fig. 3: the features of a stream are joined to those of the next lower one, which so has more channels."""

    def __init__(self, higher: int, lower: int) -> None:
        super().__init__()
        self.higher, self.lower = SqueezeAndExcitation(higher), SqueezeAndExcitation(lower)
        self.both = SqueezeAndExcitation(higher + lower)

    def forward(self, higher: torch.Tensor, lower: torch.Tensor) -> torch.Tensor:
        """Features (B, C1, H, W) and (B, C2, H, W) to features (B, C1 + C2, H, W)."""
        return self.both(torch.cat([self.higher(higher), self.lower(lower)], dim=1))


class PatchRefiner(nn.Module):
    """Encoder and decoder of one patch; what it makes is added to the patch."""

    def __init__(self, first: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(_encoder(first), Residual(4 * first))
        self.decoder = _Decoder(4 * first + NOISE, first, 3)

    def forward(self, patch: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """A patch (B, 3, h, w), values 0..1, and noise (B, Z) to a patch of the same shape."""
        features = with_noise(self.encoder(2 * patch - 1), noise)
        return (patch + self.decoder(features, (patch.shape[2], patch.shape[3]))).clamp(0, 1)


class _Decoder(nn.Module):
    """Features, a quarter of the size, to an image of ``after`` channels."""

    def __init__(self, before: int, first: int, after: int) -> None:
        super().__init__()
        self.narrow = convolution(before, 4 * first, 1)
        self.to_half, self.to_full = Enlarging(4 * first, 2 * first), Enlarging(2 * first, first)
        self.last = nn.Conv2d(first, after, 7, padding=3, padding_mode="reflect")

    def forward(self, features: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        half = self.to_half(self.narrow(features), ((size[0] + 1) // 2, (size[1] + 1) // 2))
        return self.last(self.to_full(half, size))


def _encoder(first: int) -> nn.Sequential:
    return nn.Sequential(
        convolution(3, first, 7), convolution(first, 2 * first, 3, 2), convolution(2 * first, 4 * first, 3, 2)
    )
