"""The LR halves of LR/HR pairs."""

from collections.abc import Sequence

import torch

from lrfr.nn.resolution import Interpolation, at_resolution
from lrfr.nn.training.task import StepContext


def low_resolution_pairs(
    images: torch.Tensor, sides: Sequence[int], interpolation: Interpolation, context: StepContext
) -> torch.Tensor:
    """HR images (B, 3, H, W), values 0..1, as if captured small: the LR partner of each, of the same shape.

    Each is shrunk bicubic to a shortest side drawn uniformly from ``sides``, px, and enlarged back by
    ``interpolation``, as native LR is on its way to the network; one that is no larger stays as it is. (Cheng, Zhu &
    Gong, CSRI, ACCV 2018, section 3, down-sample "artificially", and say neither how nor how far.)

    Args:
        images: this process's part of the batch.
        sides: px.
        interpolation: by which images are enlarged to the network's size.
        context: sides are drawn for the images of all processes, in their order.
    """
    drawn = context.rng.choice(sides, len(images) * context.world_size)[len(images) * context.rank :][: len(images)]
    pairs = images.clone()
    for side in sorted(set(drawn.tolist())):
        rows = torch.from_numpy(drawn == side).to(images.device)
        pairs[rows] = at_resolution(images[rows], side, "bicubic", interpolation)
    return pairs
