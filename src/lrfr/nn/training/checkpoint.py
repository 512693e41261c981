"""The state of a training that is not finished: written atomically, taken up again only where nothing has changed."""

import hashlib
import io
import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from lrfr.errors import TrainingError
from lrfr.files import atomic_path

# What a damaged pickle stumbles over
DAMAGED = (pickle.UnpicklingError, RuntimeError, EOFError, LookupError, ValueError, TypeError, AttributeError)


def fingerprint(settings: Any, *files: Path) -> str:
    """A hash of all that a training depends on.

    Args:
        settings: anything that JSON can hold.
        files: data, earlier models, the method's code. The code of networks, of the families
            of methods and of synthesisers, and torch's version, always count.
    """
    digest = hashlib.sha256(json.dumps([settings, torch.__version__], sort_keys=True).encode())
    package = Path(__file__).parents[2]
    code = sorted(file for layer in ("nn", "families", "synthesis") for file in package.glob(f"{layer}/**/*.py"))
    for file in (*files, *code):
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
