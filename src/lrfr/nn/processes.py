"""A training shared by several processes, which ``torchrun`` starts: which one this is, and what they do together.

Without ``torchrun`` a training is one process on one device.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import torch
import torch.distributed as dist

from lrfr.errors import InterruptedTrainingError, LrfrError, ParameterError
from lrfr.lifetime import stop_with_launcher

if TYPE_CHECKING:
    from lightning_fabric import Fabric

PRECISIONS: dict[str, Literal["32-true", "bf16-mixed", "16-mixed"]] = {
    "fp32": "32-true",
    "bf16": "bf16-mixed",
    "fp16": "16-mixed",
}


def this_process() -> int:
    """This process's number, from 0; that one writes what is to be kept."""
    return int(os.environ["RANK"]) if _by_torchrun() else 0


def processes() -> int:
    """How many processes share the training, on all machines."""
    return int(os.environ["WORLD_SIZE"]) if _by_torchrun() else 1


def processes_here() -> int:
    """How many of them run on this machine."""
    return int(os.environ["LOCAL_WORLD_SIZE"]) if _by_torchrun() else 1


def number_here() -> int:
    """This process's number on its machine, from 0; that of the GPU that it takes."""
    return int(os.environ["LOCAL_RANK"]) if _by_torchrun() else 0


def launch(device: torch.device, precision: str, optimizers: int) -> "Fabric":
    """Lightning Fabric on this process's device, connected with the other processes where there are any.

    Args:
        device: of this process.
        precision: a key of :data:`PRECISIONS`.
        optimizers: how many optimisers the task has; where they take turns, an update leaves some parameters unused.

    Raises:
        ParameterError: fp16 without a GPU.
    """
    if precision == "fp16" and device.type != "cuda":
        what = "the precision 'fp16' needs a GPU, and there is none"
        raise ParameterError(what, where="params.yaml: training.precision", remedy="choose bf16 or fp32")
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments import LightningEnvironment, TorchElasticEnvironment
    from lightning_fabric.strategies import DDPStrategy

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it announces every process otherwise
    several = processes() > 1
    if several:
        stop_with_launcher()
    fabric = Fabric(
        accelerator=device.type,
        devices=processes_here(),
        num_nodes=processes() // processes_here(),
        # Every process computes the same buffers: statistics are taken over all of them.
        strategy=DDPStrategy(forward_sync_buffers=False, find_unused_parameters=optimizers > 1) if several else "auto",
        precision=PRECISIONS[precision],
        # Named, or Fabric would take a SLURM job's variables for its own
        plugins=[TorchElasticEnvironment() if several else LightningEnvironment()],
    )
    fabric.launch()
    return fabric


def sums_over_processes(parts: Mapping[str, float]) -> dict[str, float]:
    """Adds up what each process has, which may be nothing; the same figures, bit for bit, in all of them."""
    everybodys: list[Mapping[str, float]] = [parts]
    if dist.is_initialized():
        everybodys = [{}] * dist.get_world_size()
        dist.all_gather_object(everybodys, dict(parts))
    sums: dict[str, float] = {}
    for each in everybodys:
        for name, value in each.items():
            sums[name] = sums.get(name, 0.0) + value
    return sums


@contextmanager
def one_of_several() -> Iterator[None]:
    """All that a process does for a training, which others may do beside it: they end together, well or badly.

    When they fail, at once or one after the other, only the first one says why. Its failure is the cause: the others
    notice that it is gone, or have the same to say.

    Raises:
        SystemExit: this process failed, and another one has said why.
    """
    try:
        yield
        if dist.is_initialized():
            dist.barrier()
            dist.destroy_process_group()
    except (LrfrError, RuntimeError) as error:
        if processes() == 1 or _is_first_to_fail():
            raise
        raise SystemExit(130 if isinstance(error, InterruptedTrainingError) else 1) from None


def _is_first_to_fail() -> bool:
    place = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    try:
        store = dist.TCPStore(*place, is_master=False, timeout=timedelta(seconds=10))
        return store.add(f"lrfr failed {os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)}", 1) == 1
    except RuntimeError:  # torchrun is gone too
        return True


def _by_torchrun() -> bool:
    return dist.is_torchelastic_launched()
