"""The state of a training that is not finished: written atomically, resumed only where nothing has changed."""

import hashlib
import io
import json
import pickle
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lrfr import code
from lrfr.errors import ResultError, TrainingError
from lrfr.files import atomic_path

# What a damaged pickle stumbles over
DAMAGED = (pickle.UnpicklingError, RuntimeError, EOFError, LookupError, ValueError, TypeError, AttributeError)


def fingerprint(settings: Any, modules: Iterable[str], *files: Path) -> str:
    """A hash of all that a training depends on; the versions of torch and numpy are a part of it.

    Args:
        settings: anything that JSON can hold.
        modules: those that train, such as ``lrfr.stages.finetune`` and the method's; with all that they import.
        files: data and earlier models.

    Raises:
        ResultError: a file is missing.
    """
    digest = hashlib.sha256(json.dumps([settings, torch.__version__, np.__version__], sort_keys=True).encode())
    digest.update(code.digest(code.closure(*modules)).encode())
    for file in files:
        if not file.is_file():
            raise ResultError("a result that this training depends on is missing", where=file, remedy="dvc repro")
        digest.update(file.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class SavedState:
    """Where a training keeps its state, and the fingerprint of everything that the training depends on."""

    path: Path
    fingerprint: str

    def write(self, state: dict[str, Any]) -> None:
        """Writes a state; the one before stays whole until the new one is on disk."""
        buffer = io.BytesIO()  # torch's own writer does not say that a disk is full
        torch.save(state | {"fingerprint": self.fingerprint}, buffer)
        with atomic_path(self.path) as temporary:
            temporary.write_bytes(buffer.getbuffer())

    def read(self) -> dict[str, Any] | None:
        """The state that was written; None where there is none, or that of a training with another fingerprint.

        Raises:
            TrainingError: the file is no state of ours; nothing in it is executed.
        """
        if not self.path.is_file():
            return None
        try:
            state = torch.load(self.path, map_location="cpu", weights_only=True)
        except DAMAGED as error:
            what = "the saved state of a training cannot be read"
            raise TrainingError(what, where=self.path, remedy="remove the file to train from the start") from error
        known = isinstance(state, dict) and state.get("fingerprint") == self.fingerprint
        return state if known else None

    def forget(self) -> None:
        """Removes the state, once the trained model is safely on disk."""
        self.path.unlink(missing_ok=True)
