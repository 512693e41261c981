"""Where torch computes, and that it computes the same twice."""

import os

import torch

from lrfr.nn.processes import number_here, processes_here
from lrfr.parallel import cores

MOST_WORKERS = 16  # more than enough for one GPU


def device() -> torch.device:
    """The GPU where there is one; where several processes share a machine, each has its own."""
    return torch.device("cuda", number_here()) if torch.cuda.is_available() else torch.device("cpu")


def decoding_workers() -> int:
    """How many processes can prepare images beside this one: the cores that torch's threads leave free."""
    return min(max(cores() // processes_here() - torch.get_num_threads(), 0), MOST_WORKERS)


def make_deterministic(seed: int, threads: int) -> None:
    """Seeds torch and allows only operations that repeat exactly.

    ``threads`` is fixed by params.yaml, not by the machine: sums over another number of threads round differently.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(seed)
