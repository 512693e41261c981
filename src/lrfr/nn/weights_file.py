"""Weights on disk: safetensors, with what it takes to build their network again in the metadata."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from lrfr.errors import TrainingError
from lrfr.files import atomic_path, parse_json

FILE = "model.safetensors"

# What a file of something else, or of an older network, stumbles over
FOREIGN = (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError)


def write_weights(path: Path, tensors: Mapping[str, torch.Tensor], described: Mapping[str, Any]) -> None:
    """Writes tensors by their names, and what describes their network, as JSON; equal ones give equal bytes."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    # One key alone: the order of several would differ from run to run.
    metadata = {"lrfr": json.dumps(described, sort_keys=True)}
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(tensors, metadata))


def read_weights(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """What describes the network, and the tensors; to be called, as what is made of them, in :func:`expected`."""
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        return parse_json(file.metadata()["lrfr"]), tensors


def read_description(path: Path) -> dict[str, Any]:
    """What describes the network, without its tensors; in :func:`expected` too."""
    with safe_open(path, "pt") as file:
        return parse_json(file.metadata()["lrfr"])


@contextmanager
def expected(what: str, path: Path) -> Iterator[None]:
    """What goes wrong inside means that a file is not what it should be.

    Raises:
        TrainingError: the file is missing or is not ``what``.
    """
    try:
        yield
    except FOREIGN as error:
        remedy = "dvc repro, if the pipeline made it; else import or copy it again"
        raise TrainingError(f"not {what} of lrfr: {error}", where=path, remedy=remedy) from error
