"""The last feature map's size: a fully connected layer behind it has to know it."""

from collections.abc import Callable
from itertools import count

from lrfr.errors import ParameterError


def feature_map(network: str, size: tuple[int, int], side_after: Callable[[int], int]) -> tuple[int, int]:
    """Height and width of what a network's layers leave of an image.

    Args:
        network: its name, for the error.
        size: height and width of the images, px.
        side_after: a side of the last feature map, given that of the image; less than 1 where nothing is left.

    Raises:
        ParameterError: the images are too small for the network.
    """
    height, width = (side_after(side) for side in size)
    if min(height, width) < 1:
        smallest = next(side for side in count(1) if side_after(side) >= 1)
        raise ParameterError(
            f"{network} takes no images of {size[0]} x {size[1]} px: its poolings leave nothing of them",
            remedy=f"give it at least {smallest} x {smallest} px, or take another network",
        )
    return height, width
