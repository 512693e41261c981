"""The folders of arrivals: a batch waits in one, and a decision moves it, whole, among those that are learnt from or
among those that were refused."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from lrfr.config import Params
from lrfr.errors import ResultError, SourceError
from lrfr.retraining.decisions import Batch, Decision
from lrfr.retraining.settings import Retrain
from lrfr.sources.batches import batches


class Places:
    """Where batches are: waiting, learnt from, and refused.

    Raises:
        SourceError: batches wait, and the source of ``acquire`` has none.
    """

    def __init__(self, params: Params) -> None:
        self.waiting = Path(params.read("retrain", Retrain).arrivals)
        self.admitted = Path(params.acquire.root)
        self.refused = self.waiting.with_name(f"{self.waiting.name}-refused")
        if self.names() and params.acquire.source != "batches":
            remedy = "acquire: {source: batches, root: ..., settings: {of: photo_folder}}; docs/retraining.md"
            what = f"batches arrived, and the source '{params.acquire.source}' cannot take them in"
            raise SourceError(what, where="params.yaml: acquire.source", remedy=remedy)

    def names(self) -> list[str]:
        """The batches that wait, sorted."""
        return batches(self.waiting)

    def settle(self, decisions: Sequence[Decision]) -> None:
        """Moves the batches that were decided on and still wait: a kill can come between the two.

        Raises:
            ResultError: something of that name is there already.
        """
        for name in self.names():
            known = next((made.batches[name] for made in reversed(decisions) if name in made.batches), None)
            if known is not None and known.digest == digest(self.waiting / name):
                self._move(name, known)

    def _move(self, name: str, batch: Batch) -> None:
        target = (self.admitted if batch.admitted else self.refused) / name
        number = 2
        while target.exists() and not batch.admitted:  # it came again as it was
            target = self.refused / f"{name}-{number}"
            number += 1
        if target.exists():
            what = "a batch of this name is there already"
            raise ResultError(what, where=target, remedy=f"give {self.waiting / name} another name")
        target.parent.mkdir(parents=True, exist_ok=True)
        (self.waiting / name).rename(target)


def digest(folder: Path) -> str:
    """The SHA-256 of the names and the bytes of all files in a folder."""
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            inner = hashlib.file_digest(file, "sha256").hexdigest()
        found.update(f"{inner} {path.relative_to(folder).as_posix()}\n".encode())
    return found.hexdigest()
