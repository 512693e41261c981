"""Names that people gave to faces: manifests with the columns face_id, identity, labeller, at, note."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from lrfr.core import manifest_lines
from lrfr.core.manifest_lines import Kind
from lrfr.errors import VerdictError

LONGEST = 100  # characters of a name


@dataclass(frozen=True)
class Name:
    """One line of a manifest; who takes a name back leaves ``identity`` empty and notes ``withdrawn``."""

    face_id: str
    identity: str
    labeller: str
    at: datetime
    note: str
    manifest: str
    line: int

    @property
    def about(self) -> str:
        """The face."""
        return self.face_id

    @property
    def says(self) -> str | None:
        """The identity; None where a name is taken back."""
        return plain(self.identity) or None


def _check(own: dict[str, str], where: str) -> None:
    if len(own["identity"]) > LONGEST:
        what = f"a name has {len(own['identity'])} characters"
        raise VerdictError(what, where=where, remedy=f"shorten it to {LONGEST}")


KIND = Kind("name", ("face_id", "identity"), "", Name, _check)


def plain(name: str) -> str:
    """A name on one line, in Unicode's composed form, so that what looks alike is alike."""
    kept = "".join(character for character in " ".join(name.split()) if character.isprintable())
    return unicodedata.normalize("NFC", kept)


def resolve(names: Iterable[Name]) -> dict[str, str | None]:
    """The identity of each face that somebody named, by face_id; None while labellers disagree on it."""
    return {str(face_id): identity for face_id, identity in manifest_lines.agreed(names).items()}
