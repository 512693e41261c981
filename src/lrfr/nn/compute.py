"""Where torch computes, and that it computes the same twice."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any

import torch
from threadpoolctl import ThreadpoolController
from torch import nn

from lrfr.errors import TrainingError
from lrfr.nn.processes import number_here, processes_here
from lrfr.parallel import cores

MOST_WORKERS = 16  # more than enough for one GPU


def device() -> torch.device:
    """The GPU where there is one; where several processes share a machine, each has its own.

    Raises:
        TrainingError: there are more processes than GPUs.
    """
    if not torch.cuda.is_available():
        return torch.device("cpu")
    if processes_here() > torch.cuda.device_count():
        what = f"{processes_here()} processes on this machine, which has {torch.cuda.device_count()} GPUs"
        raise TrainingError(what, remedy="give torchrun a smaller --nproc-per-node: a process takes a GPU of its own")
    return torch.device("cuda", number_here())


def decoding_workers() -> int:
    """How many processes can prepare images beside this one: the cores that torch's threads leave free."""
    return min(max(cores() // processes_here() - torch.get_num_threads(), 0), MOST_WORKERS)


def make_deterministic(seed: int, threads: int) -> None:
    """Seeds torch and allows only operations that repeat exactly.

    ``threads`` is fixed by params.yaml, not by the machine: sums over another number of threads round differently.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.set_deterministic_debug_mode("error")  # use_deterministic_algorithms, without 4 s for importing the compiler
    torch.backends.cudnn.allow_tf32 = False  # fp32 means fp32, also on a GPU
    torch.manual_seed(seed)


@contextmanager
def as_deployed(network: nn.Module) -> Iterator[None]:
    """A network in evaluation mode; afterwards each part of it is in the mode that it was in."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def one_blas_thread() -> AbstractContextManager[Any]:
    """The matrices of small images are too small for BLAS to share among threads, which would wait for each other."""
    return _blas().limit(limits=1, user_api="blas")


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()
