"""Where torch computes, and that it computes the same twice."""

import os

import torch


def device() -> torch.device:
    """The GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def make_deterministic(seed: int, threads: int) -> None:
    """Seeds torch and allows only operations that repeat exactly.

    ``threads`` is fixed by params.yaml, not by the machine: sums over another number of threads round differently.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(seed)
