"""What every network of ours is built from."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Shape:
    """What may vary of a published network.

    Attributes:
        size: height and width of the images that it takes, px.
        embedding_dim: D.
        dropout: probability before the last layer, 0..1.
        width: factor on its channels; 1 is the published network.
    """

    size: tuple[int, int]
    embedding_dim: int
    dropout: float
    width: float = 1.0


@dataclass(frozen=True)
class Network:
    """A network by the name that it is asked for: normalised images (B, 3, H, W) to embeddings (B, D).

    Attributes:
        build: makes it, freshly initialised, in any shape.
        published: the shape that its paper gives it.
    """

    build: Callable[[Shape], nn.Module]
    published: Shape
