"""Checkpoint files as tensors by name, without running anything that stands in them."""

import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from lrfr.errors import CheckpointError
from lrfr.memory import excess
from lrfr.nn.published.kinds import other_kind

Tensors = dict[str, torch.Tensor]

# Under which keys training frameworks keep the network's tensors: Lightning (AdaFace) and timm, Massoli
WRAPPERS = ("state_dict", "model_state_dict")
ARCFACE_TORCH = "state_dict_backbone"  # nobody else's, so that it stays before the names and tells whose they are

# What Lightning, timm and numpy leave of a training beside the weights. An inert object of ours takes the place of each
# such name; the name itself is never imported.
TRAINING_STATE = re.compile(r"(pytorch_lightning|lightning|lightning_fabric|argparse|numpy)\.")


class Ignored:
    """Stands for a part of the training's state, which nothing is made of."""

    def __new__(cls, *_: object) -> "Ignored":
        """Takes whatever the part took."""
        return super().__new__(cls)

    def __init__(self, *_: object) -> None:
        """Keeps none of it."""

    def __setstate__(self, state: object) -> None:
        """Keeps none of it."""


def read_tensors(path: Path) -> Tensors:
    """The tensors of a safetensors file, or of one written by ``torch.save`` (its zip format, or the one before it).

    Of a pickle only tensors, containers, numbers and text are read (torch's ``weights_only``). A file that asks for
    anything else is refused, and nothing of it is executed; but for :data:`TRAINING_STATE`, which is left out.

    Raises:
        CheckpointError: there is no such file, it is of another kind, it is damaged, it is a program, or it holds no
            tensors by name, or several networks.
    """
    if not path.is_file() and not path.is_dir():
        what = "this is neither a file nor a folder" if path.exists() else "there is no such file"
        raise CheckpointError(what, where=path, remedy="give the file with the weights")
    if kind := other_kind(path):
        raise CheckpointError(f"this is {kind.what}", where=path, remedy=kind.remedy)
    with path.open("rb") as file:
        start = file.read(9)
    try:
        held = load_file(path) if start[8:] == b"{" else _read_pickle(path)
    except CheckpointError:
        raise
    except Exception as error:  # a damaged pickle fails in any way: its bytes are instructions
        first = str(error).partition("\n")[0]
        raise CheckpointError(f"damaged, or no checkpoint: {first}", where=path, remedy="download it again") from error
    return _tensors(held, path)


def _read_pickle(path: Path) -> object:
    _check_size(path)
    try:
        unsafe = torch.serialization.get_unsafe_globals_in_checkpoint(path) if zipfile.is_zipfile(path) else []
        programs = sorted(name for name in unsafe if not TRAINING_STATE.match(name))
        if programs:
            raise _program(path, ", ".join(programs[:5]))
        stand_ins: list[Any] = [(dict if name.endswith(".AttributeDict") else Ignored, name) for name in unsafe]
        with torch.serialization.safe_globals(stand_ins):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        asked = re.search(r"GLOBAL ([\w.]+)", str(error))
        if asked is None:
            raise ValueError("its pickle cannot be read") from error
        raise _program(path, asked[1]) from error


def _check_size(path: Path) -> None:
    """Raises where an archive would not fit the memory once it is unpacked."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if too_much := excess(size):
            raise CheckpointError(f"this archive is too large: {too_much}", where=path, remedy="use a larger machine")


def _program(path: Path, asked: str) -> CheckpointError:
    return CheckpointError(
        f"this file is a program, not weights alone: it asks to run {asked}; nothing of it was run",
        where=path,
        remedy="get the weights as safetensors, or, on a machine where its author's code may run, "
        "torch.save(model.state_dict(), FILE)",
    )


def _tensors(held: object, path: Path) -> Tensors:
    """The tensors by name that ``held`` is, or has under one key; in float32."""
    if isinstance(held, Mapping) and "param_groups" in held:
        remedy = "give the file with the network's weights, which a training keeps beside it"
        raise CheckpointError("this is the state of an optimiser, not weights", where=path, remedy=remedy)
    tensors = _by_name(_network(held, path))
    if not tensors:
        what = "the file holds no tensors by name"
        if isinstance(held, torch.Tensor):
            what = f"the file holds one tensor without a name, {tuple(held.shape)}"
        remedy = f"a state dict is expected, as it is or under one key, such as: {', '.join(WRAPPERS)}"
        raise CheckpointError(what, where=path, remedy=remedy)
    _check_kinds(tensors, path)
    return {
        name: value.detach().float() if value.is_floating_point() else value.detach() for name, value in tensors.items()
    }


def _network(held: object, path: Path) -> object:
    """The part of a training's checkpoint that is the network; all of it where it has no parts."""
    if not isinstance(held, Mapping):
        return held
    if isinstance(held.get(ARCFACE_TORCH), Mapping):
        return {f"{ARCFACE_TORCH}.{name}": value for name, value in held[ARCFACE_TORCH].items()}
    known = next((held[key] for key in WRAPPERS if isinstance(held.get(key), Mapping)), None)
    if known is not None:
        return known
    parts = [key for key, part in held.items() if isinstance(part, Mapping) and len(_by_name(part)) > 1]
    if len(parts) > 1:
        counts = ", ".join(f"'{key}' ({len(_by_name(held[key]))})" for key in parts)
        what = f"this is a training's checkpoint with tensors in {len(parts)} parts: {counts}"
        remedy = f"choose one: torch.save(torch.load(FILE)['{parts[0]}'], NEW), and give NEW"
        raise CheckpointError(what, where=path, remedy=remedy)
    return held[parts[0]] if parts else held


def _by_name(held: object) -> Tensors:
    """The tensors of a mapping."""
    items = held.items() if isinstance(held, Mapping) else ()
    return {str(name): value for name, value in items if isinstance(value, torch.Tensor)}


def _check_kinds(tensors: Tensors, path: Path) -> None:
    """Raises where something is no plain tensor, or claims more values than the file holds."""
    for name, value in tensors.items():
        if value.layout == torch.strided and not value.is_meta and value.nbytes > value.untyped_storage().nbytes():
            what = f"'{name}' claims {value.numel():,} values, more than the file holds of it"
            remedy = "give the weights as they were trained: torch.save({name: value.contiguous() for ...}, FILE)"
            raise CheckpointError(what, where=path, remedy=remedy)
        if value.layout != torch.strided or value.is_quantized or value.is_complex() or value.is_meta:
            kind = "without values" if value.is_meta else f"{value.dtype}, {value.layout}"
            remedy = "give the weights before they were quantised or packed, in floating point"
            raise CheckpointError(f"'{name}' is no plain tensor of real numbers: {kind}", where=path, remedy=remedy)
