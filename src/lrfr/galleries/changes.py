"""Who is enrolled in a gallery and who is taken out: each change whole or not at all."""

from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from lrfr.core.names import LONGEST, plain
from lrfr.errors import GalleryError
from lrfr.galleries.file import Enrolled, GalleryFile, Origin, alone, table, write


def checked_name(name: str) -> str:
    """A person's name in the one form that names have: composed Unicode, single spaces.

    Raises:
        GalleryError: nothing is left of it, or it is too long.
    """
    kept = plain(name)
    if not 0 < len(kept) <= LONGEST:
        what = f"a name has {len(kept)} characters that can be read"
        raise GalleryError(what, remedy=f"give one of 1 to {LONGEST}")
    return kept


def enrol(path: Path, origin: Origin, faces: list[Enrolled], add: bool) -> int:
    """Adds faces to a gallery, which is made where there is none.

    Args:
        path: of the gallery.
        origin: of the embeddings.
        faces: whose names are checked.
        add: whether a name that is known means the same person, who has more faces now; else it is refused.

    Returns:
        How many faces are new; one that the person has already is not enrolled twice.

    Raises:
        GalleryError: a name is taken, a face is another person's already, or the gallery is of another model.
    """
    with alone(path):
        old = GalleryFile(path, origin) if path.exists() else None
        known = old.read(["name", "face"]) if old else table([], origin)
        names = known["name"].to_pylist()
        _refuse_taken(path, {face.name for face in faces} & set(names), Counter(names), add)
        new = _new(path, faces, dict(zip(known["face"].to_pylist(), names, strict=True)))
        if new:
            write(path, origin, chain(old.groups() if old else (), [table(new, origin)]))
        return len(new)


def _refuse_taken(path: Path, taken: set[str], counts: Counter, add: bool) -> None:
    if taken and not add:
        first, others = min(taken), len(taken) - 1
        more = f", and {others} more names" if others else ""
        what = f"'{first}' is in the gallery already, by {counts[first]:,} of their photos{more}"
        remedy = "--add if it is the same person, who then has more photos; another person needs another name"
        raise GalleryError(what, where=path, remedy=remedy)


def _new(path: Path, faces: list[Enrolled], whose: dict[str, str]) -> list[Enrolled]:
    """The faces that the gallery does not have, each once; ``whose`` are the known ones, by face."""
    known, new = set(whose), {}
    for face in faces:
        if (owner := whose.setdefault(face.face, face.name)) != face.name:
            what = f"one and the same face is to be '{face.name}', and is '{owner}' already"
            raise GalleryError(what, where=path, remedy=f"correct the name, or take it out: lrfr forget '{owner}'")
        if face.face not in known:
            new[face.face] = face
    return list(new.values())


def forget(path: Path, origin: Origin, name: str) -> int:
    """Takes a person out of a gallery, with every trace: embeddings, pictures, name, and the search's index.

    Returns:
        How many faces went.

    Raises:
        GalleryError: nobody of this name is enrolled, or the gallery is not there, or of another model.
    """
    with alone(path):
        old = GalleryFile(path, origin)
        names = old.read(["name"])["name"]
        went = pc.sum(pc.equal(names, name)).as_py() or 0
        if not went:
            close = get_close_matches(name, names.unique().to_pylist(), n=1)
            guess = f"did you mean '{close[0]}'?" if close else "names are written as they were enrolled"
            raise GalleryError(f"nobody is enrolled as '{name}'", where=path, remedy=guess)
        write(path, origin, _without(old.groups(), name))
        return went


def _without(groups: Iterator[pa.Table], name: str) -> Iterator[pa.Table]:
    for group in groups:
        yield group.filter(pc.not_equal(group["name"], name))
