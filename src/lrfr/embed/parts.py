"""What of an embedding is done: parts on the disk, from which a run that was stopped goes on."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lrfr.errors import EmbeddingError
from lrfr.files import atomic_path, write_text


class Part(NamedTuple):
    """Some rows: embeddings (n, D) float32; why a picture has none (n,), text, else ""; and the quality (n,) float32,
    where the model predicts it."""

    embedding: np.ndarray
    reason: np.ndarray
    quality: np.ndarray | None = None


@dataclass
class Parts:
    """The parts of one embedding, in order, all but the last of as many rows.

    Attributes:
        folder: where they lie.
        done: how many there are.
    """

    folder: Path
    done: int = 0

    def add(self, part: Part) -> None:
        """Stores the next part; when this returns, it is on the disk."""
        with atomic_path(self._path(self.done)) as temporary, temporary.open("wb") as file:
            arrays = {name: value for name, value in part._asdict().items() if value is not None}
            np.savez(file, **arrays)  # pyrefly: ignore
        self.done += 1

    def __iter__(self) -> Iterator[Part]:
        """The parts that are there, one at a time."""
        for number in range(self.done):
            with np.load(self._path(number), allow_pickle=False) as stored:
                yield Part(stored["embedding"], stored["reason"], stored.get("quality"))

    def count(self) -> None:
        """Looks for the parts that are there."""
        while self._path(self.done).exists():
            self.done += 1

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06}.npz"


@contextmanager
def parts_of(out: Path, fingerprint: str) -> Iterator[Parts]:
    """The parts of what becomes ``out``, in a hidden folder beside it, which goes when the block succeeds.

    Parts of another fingerprint (another model, other pictures) are thrown away.

    Raises:
        EmbeddingError: another process is at work on the same file, or nothing can be written there.
    """
    from filelock import FileLock, Timeout

    folder = out.parent / f".{out.name}.parts"
    try:
        folder.mkdir(parents=True, exist_ok=True)  # the lock takes a place that cannot be written to for locked
        lock = FileLock(folder.with_suffix(".lock")).acquire(timeout=0)
    except Timeout as error:
        remedy = "wait for it to end, or give another --out"
        raise EmbeddingError("another process is writing the same file", where=out, remedy=remedy) from error
    except OSError as error:
        remedy = "give an --out in a folder that you may write to"
        raise EmbeddingError(f"nothing can be written here: {error.strerror}", where=out, remedy=remedy) from error
    with lock:
        parts = Parts(folder)
        if not _is_about(folder, fingerprint):
            if folder.exists():
                shutil.rmtree(folder)
            write_text(folder / "fingerprint", fingerprint)
        parts.count()
        yield parts
        shutil.rmtree(folder)
        folder.with_suffix(".lock").unlink(missing_ok=True)


def _is_about(folder: Path, fingerprint: str) -> bool:
    stored = folder / "fingerprint"
    return stored.is_file() and stored.read_text(encoding="utf-8") == fingerprint
