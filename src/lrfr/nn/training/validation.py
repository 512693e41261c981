"""Validation at full and at lower resolutions."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import torch

from lrfr.nn.batches.labelled import TrainingFaces, validation_batches
from lrfr.nn.processes import processes, sums_over_processes, this_process
from lrfr.nn.resolution import at_resolution
from lrfr.nn.training.task import Faces, Task

if TYPE_CHECKING:
    from lightning_fabric import Fabric

BATCH = 256


@torch.inference_mode()
def validate(task: Task, faces: TrainingFaces, sides: Sequence[int], fabric: "Fabric") -> dict[str, float]:
    """The means over all faces of a task's validation losses.

    Args:
        task: left in evaluation mode.
        faces: validation images with labels; the processes share them.
        sides: the resolutions beside the full one: shortest sides, px.
        fabric: whose device and precision are used.

    Returns:
        The losses at full resolution by their names, those at 24 px by their names with ``_24px``.
    """
    task.eval()
    sums: dict[str, float] = defaultdict(float)
    batches = validation_batches(faces, BATCH, fabric.device)
    for batch in islice(batches, this_process(), None, processes()):
        versions = {f"_{side}px": at_resolution(batch.images, side) for side in sides} | {"": batch.images}
        for suffix, images in versions.items():
            with fabric.autocast():
                losses = task.validation_losses(Faces(images, batch.labels))
            for name, value in losses.items():
                sums[name + suffix] += value.item() * len(batch.labels)
    return {name: value / len(faces) for name, value in sums_over_processes(sums).items()}


def watched(losses: Mapping[str, float], side: int | None) -> float:
    """What decides on a plateau and on the best weights: the sum of the losses of :func:`validate` at the shortest
    ``side``, px, or of all of them where it is None."""
    return sum(value for name, value in losses.items() if side is None or name.endswith(f"_{side}px"))
