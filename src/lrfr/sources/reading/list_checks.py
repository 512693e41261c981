"""What every published list has to be: each image once, most of its images there, and names that are names."""

import os
import unicodedata
from collections.abc import Collection, Container, Sequence
from pathlib import Path, PurePosixPath

from lrfr.core.normal_names import normal_name
from lrfr.errors import SourceError

MOST = 0.5  # of a list that matches nothing: more is another copy or a wrong folder, and not a lost file or two


def composed(name: str) -> str:
    """A file name in Unicode's composed form: a list and a disk may write one name in two ways."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def named(identity: object, where: object) -> str:
    """An identity in its normal form.

    Raises:
        SourceError: it is no name, or empty.
    """
    try:
        name = normal_name(identity)
    except ValueError as error:
        raise SourceError(f"the identity {error}", where=where, remedy="correct it where it is written") from error
    if name is None:
        raise SourceError("an identity is empty", where=where, remedy="write a name, or leave the line out")
    return name


def check_once(names: Sequence[str], where: object) -> None:
    """Raises where a list has an image twice: which of the two lines is right, nobody knows."""
    if twice := len(names) - len(set(names)):
        known: set[str] = set()
        first = next(name for name in names if name in known or known.add(name))
        remedy = "take one of the lines out, or get the list from its publisher again"
        raise SourceError(f"{twice} images stand twice, such as {first}", where=where, remedy=remedy)


def check_present(root: Path, folder: str, listed: Collection[str], absent: Collection[str]) -> None:
    """Raises where none, or less than half, of the listed images lies in a folder of the dataset.

    The error says where under ``root`` one of them lies, or a picture that is called alike, if there is one.
    """
    if len(absent) <= MOST * len(listed) and listed:
        return
    such = next(iter(absent), None)
    place = None if such is None else _elsewhere(root, such)
    lies = f"{such} is {place}: put the pictures where they are looked for, or correct the root" if place else ""
    raise _too_few(
        f"lies in {folder or '.'}", len(listed), absent, root, lies or "correct the root, or get the lists of this copy"
    )


def check_matches(listed: Collection[str], known: Container[str], verb: str, where: object) -> None:
    """Raises where none, or less than half, of the listed images is in another list; ``verb`` says what that means,
    such as ``has landmarks``."""
    absent = [name for name in listed if name not in known]
    if len(absent) > MOST * len(listed):
        raise _too_few(verb, len(listed), absent, where, "get the lists of one and the same copy")


def _too_few(verb: str, count: int, absent: Collection[str], where: object, remedy: str) -> SourceError:
    share = "none" if len(absent) == count else f"only {count - len(absent)}"
    such = f", such as {next(iter(absent))}" if absent else ""
    without = such if share == "none" else f", and not {next(iter(absent))}"
    return SourceError(f"{share} of the {count} listed images {verb}{without}", where=where, remedy=remedy)


def _elsewhere(root: Path, name: str) -> str | None:
    """Where a file of this name lies under the root, else one that differs in the ending alone."""
    wanted, alike = composed(PurePosixPath(name).name), None
    for folder, _, files in os.walk(root):
        place = Path(folder).relative_to(root).as_posix()
        for file in files:
            if composed(file) == wanted:
                return f"in {place}"
            if alike is None and PurePosixPath(composed(file)).stem == PurePosixPath(wanted).stem:
                alike = f"called {file} in {place}"
    return alike
