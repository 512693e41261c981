"""Statistics over the whole batch where several processes share it; with one process nothing is sent."""

import torch
from torch import distributed

from lrfr.nn.training.batch_norm import summed


def summed_over_processes(values: torch.Tensor) -> torch.Tensor:
    """The sum over all processes of ``values``, which have the same shape in each."""
    if not _several():
        return values
    total = values.clone()
    distributed.all_reduce(total)
    return total


def identities_present(labels: torch.Tensor, num_classes: int) -> torch.Tensor:
    """The different labels (U,) int64, ascending, in the parts ``labels`` (B,) of all processes."""
    if not _several():
        return labels.unique()
    present = torch.zeros(num_classes, dtype=torch.uint8, device=labels.device)
    present[labels] = 1
    distributed.all_reduce(present, distributed.ReduceOp.MAX)
    return present.nonzero()[:, 0]


def gathered(values: torch.Tensor) -> torch.Tensor:
    """The values (B, ...) of all processes, one after the other's; each has as many. What all processes make of them
    is the same, and its gradient reaches each process's own part as often as there are processes: the loop's average
    takes that back."""
    if not _several():
        return values
    whole = values.new_zeros(distributed.get_world_size(), *values.shape)
    whole[distributed.get_rank()] = values
    return summed(whole).flatten(0, 1)


def _several() -> bool:
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1
