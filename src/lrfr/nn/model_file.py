"""Models on disk, trained here or imported: safetensors, with the architecture in its metadata."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from lrfr.config import Settings, settings
from lrfr.errors import TrainingError
from lrfr.files import atomic_path
from lrfr.nn.embedder import Architecture, Embedder

FILE = "model.safetensors"


def write_model(
    folder: Path, embedder: Embedder, head: torch.Tensor | None = None, provenance: Settings | None = None
) -> None:
    """Writes an embedder, the prototypes (C, D) of the head that it was trained with, and where weights came from."""
    tensors = {f"embedder.{name}": value for name, value in embedder.state_dict().items()}
    if head is not None:
        tensors["head"] = head
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    described = {"architecture": embedder.architecture.model_dump()}
    if provenance is not None:
        described["provenance"] = provenance
    # One key alone: the order of several would differ from run to run.
    metadata = {"lrfr": json.dumps(described, sort_keys=True)}
    with atomic_path(folder / FILE) as temporary:
        temporary.write_bytes(save(tensors, metadata))


def read_model(folder: Path) -> tuple[Embedder, torch.Tensor | None]:
    """Reads an embedder in evaluation mode, and its head's prototypes (C, D) if it has any.

    Raises:
        TrainingError: the file is missing or is not one of ours.
    """
    path = folder / FILE
    try:
        with safe_open(path, "pt") as file:
            described = json.loads(file.metadata()["lrfr"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        embedder = Embedder(settings(described["architecture"], Architecture, f"{path}: architecture"))
        head = tensors.pop("head", None)
        embedder.load_state_dict({name.removeprefix("embedder."): value for name, value in tensors.items()})
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise _not_ours(path, error) from error
    return embedder.eval(), head


def provenance(folder: Path) -> Settings | None:
    """What an imported model says of the file that it came from; None for a model that was trained here.

    Raises:
        TrainingError: the file is missing or is not one of ours.
    """
    path = folder / FILE
    try:
        with safe_open(path, "pt") as file:
            return json.loads(file.metadata()["lrfr"]).get("provenance")
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise _not_ours(path, error) from error


def _not_ours(path: Path, error: Exception) -> TrainingError:
    remedy = "dvc repro, if the pipeline made it; else import or copy it again"
    return TrainingError(f"not a model of lrfr: {error}", where=path, remedy=remedy)
