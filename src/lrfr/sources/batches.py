"""Batches that came one after the other: a folder of folders, each in the layout of a photo folder or of identity
folders. Retraining admits arrivals into it, a whole batch at a time.

A name means one person in all batches; photos of one name in two batches are two photos.
"""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pyarrow as pa
from pydantic import Field, model_validator

from lrfr.config import Section, settings
from lrfr.config import Settings as Values
from lrfr.errors import SourceError
from lrfr.sources import identity_folders, photo_folder
from lrfr.sources.acquired import Acquired, merged, prefixed
from lrfr.sources.reading.crops import excluded_table
from lrfr.sources.reading.dataset_files import is_hidden

LAYOUT = "<batch>/..., such as 2026-W49/..., each batch in the layout of the source that the setting `of` names"
OF = {"photo_folder": photo_folder, "identity_folders": identity_folders}
NATIVE: dict[str, Values] = {"photo_folder": {}, "identity_folders": {"collection": "native"}}


class Settings(Section):
    """``of`` is the source of each batch, whose faces are native; ``settings`` are those of that source."""

    of: Literal["photo_folder", "identity_folders"]
    settings: Values = Field(default_factory=dict)

    @model_validator(mode="after")
    def _can_be_read(self) -> "Settings":
        chosen = self.inner()
        if chosen.collection != "native":
            raise ValueError("batches are of native faces; HR faces have a source of their own: acquire.auxiliary")
        return self

    def inner(self) -> "photo_folder.Settings | identity_folders.Settings":
        """The settings of the source of each batch."""
        return settings(NATIVE[self.of] | self.settings, OF[self.of].Settings, "settings")


def acquire(root: Path, settings: Settings, seed: int) -> Acquired:
    """Reads every batch, in the order of their names. A face that an earlier batch brought too is excluded (``copy``).

    Raises:
        SourceError: there is no batch, or one is not in its layout.
    """
    names = batches(root)
    if not names:
        raise SourceError("no batch lies here", where=root, remedy=f"expected: {LAYOUT}")
    known: set[str] = set()
    parts = []
    for name in names:
        part = _without(read_batch(root, name, settings, seed), known)
        known |= set(part.faces["face_id"].to_pylist())
        parts.append(part)
    return merged(parts)


def batches(root: Path) -> list[str]:
    """The batches in a folder, sorted; hidden ones, which may be on their way, are passed over."""
    if not root.is_dir():
        return []
    return sorted(path.name for path in root.iterdir() if path.is_dir() and not is_hidden(path.name))


def read_batch(root: Path, name: str, settings: Settings, seed: int) -> Acquired:
    """One batch; its name goes before the names of its photos and files.

    Raises:
        SourceError: it is not in its layout.
    """
    acquired = OF[settings.of].acquire(root / name, settings.inner(), seed)  # pyrefly: ignore
    return replace(
        acquired,
        photos=prefixed(acquired.photos, name, "photo_id"),
        faces=prefixed(acquired.faces, name, "photo_id"),
        excluded=prefixed(acquired.excluded, name, "where"),
    )


def _without(acquired: Acquired, known: set[str]) -> Acquired:
    """What a batch brings without the faces that are known, which are excluded."""
    again = [face_id in known for face_id in acquired.faces["face_id"].to_pylist()]
    if not any(again):
        return acquired
    rows = zip(acquired.faces["attributes"].to_pylist(), again, strict=True)
    copies = [{"where": dict(told).get("name", ""), "reason": "copy"} for told, is_copy in rows if is_copy]
    excluded = excluded_table([*acquired.excluded.to_pylist(), *copies])
    return replace(
        acquired, faces=acquired.faces.filter(pa.array([not is_copy for is_copy in again])), excluded=excluded
    )
