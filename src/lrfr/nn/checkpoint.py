"""The state of a training that is not finished: written atomically, taken up again only where nothing has changed."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import torch

from lrfr.files import atomic_path


def fingerprint(settings: Any, *files: Path) -> str:
    """A hash of settings (anything JSON can hold) and of the contents of files: data, earlier models, code."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def save(path: Path, state: dict[str, Any]) -> None:
    """Writes a state; the one before stays whole until the new one is on disk."""
    buffer = io.BytesIO()  # torch's own writer does not say that a disk is full
    torch.save(state, buffer)
    with atomic_path(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def load(path: Path, expected_fingerprint: str) -> dict[str, Any] | None:
    """The state of a training with the same fingerprint; None where there is none, or another one's."""
    if not path.is_file():
        return None
    state = torch.load(path, map_location="cpu", weights_only=True)
    return state if state["fingerprint"] == expected_fingerprint else None
