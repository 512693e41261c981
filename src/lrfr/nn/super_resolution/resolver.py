"""A super-resolution network by itself: tiny faces in, large ones out."""

from pathlib import Path

import torch
from torch import nn

from lrfr.config import settings
from lrfr.nn.resolution import to_size
from lrfr.nn.super_resolution.settings import SuperResolution
from lrfr.nn.weights_file import FILE, expected, read_weights, write_weights


class SuperResolver(nn.Module):
    """Enlarges faces bicubic and super-resolves them.

    Args:
        chosen: the network.
        size: height and width of what comes out, px.
    """

    def __init__(self, chosen: SuperResolution, size: tuple[int, int]) -> None:
        super().__init__()
        self.chosen, self.size = chosen, size
        self.network = chosen.build()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """RGB images (B, 3, H, W) of any size, values 0..1, to super-resolved ones (B, 3, h, w), values 0..1."""
        return self.network(to_size(images, self.size, "bicubic")).float().clamp(0, 1)


def write_resolver(folder: Path, resolver: SuperResolver) -> None:
    """Writes a super-resolver, its settings and its size."""
    described = {"super_resolution": resolver.chosen.model_dump(), "size": list(resolver.size)}
    write_weights(folder / FILE, resolver.state_dict(), described)


def read_resolver(folder: Path) -> SuperResolver:
    """Reads a super-resolver in evaluation mode.

    Raises:
        TrainingError: the file is missing or is not one of ours.
    """
    path = folder / FILE
    with expected("a super-resolution network", path):
        described, tensors = read_weights(path)
        height, width = described["size"]
        chosen = settings(described["super_resolution"], SuperResolution, f"{path}: super_resolution")
        resolver = SuperResolver(chosen, (height, width))
        resolver.load_state_dict(tensors)
    return resolver.eval()
