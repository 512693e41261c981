"""A face recognition network in two parts: up to its last feature map, and from there to the embedding.

The parts have timm's names, ``forward_features`` and ``forward_head``, so that whoever looks at feature maps (quality,
attention, class activation maps) does the same with our networks and with timm's.
"""

from typing import Any

import torch
from torch import nn

from lrfr.errors import ParameterError
from lrfr.nn.compute import as_deployed

PARTS = ("forward_features", "forward_head")


class FaceNetwork(nn.Module):
    """What all networks of ours are; each has an ``output``, from its last feature map on."""

    output: nn.Module

    def forward_features(self, images: torch.Tensor) -> torch.Tensor:
        """Normalised images (B, 3, H, W) to the last feature map (B, C, h, w)."""
        raise NotImplementedError

    def forward_head(self, features: torch.Tensor) -> torch.Tensor:
        """The last feature map (B, C, h, w) to embeddings (B, D)."""
        return self.output(features)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Normalised images (B, 3, H, W) to embeddings (B, D)."""
        return self.forward_head(self.forward_features(images))


def feature_map_shape(network: Any, size: tuple[int, int], name: str) -> tuple[int, int, int]:
    """Channels, height and width of a network's last feature map.

    Args:
        network: one of ours or of timm's.
        size: height and width of the images that it takes, px.
        name: its name, for the error.

    Raises:
        ParameterError: it has no feature map of this form; timm's transformers have tokens, for example, and a graph
            that was imported shows none.
    """
    remedy = "take a convolutional network, such as lrfr_mobilefacenet, lrfr_ir50 or timm's resnet50"
    if not all(hasattr(network, part) for part in PARTS):
        raise ParameterError(f"the backbone {name} shows no feature map", where="params.yaml", remedy=remedy)
    device = next(network.parameters()).device
    with torch.no_grad(), as_deployed(network):
        shape = network.forward_features(torch.zeros(1, 3, *size, device=device)).shape
    if len(shape) != 4 or getattr(network, "output_fmt", "NCHW") != "NCHW":
        what = f"the last features of the backbone {name} are {tuple(shape[1:])}, and no map (channels, height, width)"
        raise ParameterError(what, where="params.yaml", remedy=remedy)
    return shape[1], shape[2], shape[3]
