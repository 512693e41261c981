"""Models on disk, trained here or imported: safetensors, with the architecture in its metadata."""

from pathlib import Path

import torch

from lrfr.config import Settings, settings
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.weights_file import FILE as FILE
from lrfr.nn.weights_file import expected, read_description, read_weights, write_weights

MODEL = "a model"


def write_model(
    folder: Path, embedder: Embedder, head: torch.Tensor | None = None, provenance: Settings | None = None
) -> None:
    """Writes an embedder, the prototypes (C, D) of the head that it was trained with, and where weights came from."""
    tensors = {f"embedder.{name}": value for name, value in embedder.state_dict().items()}
    if head is not None:
        tensors["head"] = head
    described = {"architecture": embedder.architecture.model_dump()}
    if provenance is not None:
        described["provenance"] = provenance
    write_weights(folder / FILE, tensors, described)


def read_model(folder: Path) -> tuple[Embedder, torch.Tensor | None]:
    """Reads an embedder in evaluation mode, and its head's prototypes (C, D) if it has any.

    Raises:
        TrainingError: the file is missing or is not one of ours.
    """
    path = folder / FILE
    with expected(MODEL, path):
        described, tensors = read_weights(path)
        embedder = Embedder(settings(described["architecture"], Architecture, f"{path}: architecture"))
        head = tensors.pop("head", None)
        embedder.load_state_dict({name.removeprefix("embedder."): value for name, value in tensors.items()})
    return embedder.eval(), head


def provenance(folder: Path) -> Settings | None:
    """What an imported model says of the file that it came from; None for a model that was trained here.

    Raises:
        TrainingError: the file is missing or is not one of ours.
    """
    path = folder / FILE
    with expected(MODEL, path):
        return read_description(path).get("provenance")
