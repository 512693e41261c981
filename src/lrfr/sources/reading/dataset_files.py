"""The files of a dataset: found where its publisher put them, and never outside of its root."""

import os
import re
from pathlib import Path, PurePosixPath, PureWindowsPath

from lrfr.errors import SourceError

PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
LITTER = {"thumbs.db", "desktop.ini"}  # left by file managers, as names with a dot in front are


def find(root: Path, *places: str) -> str:
    """The first of some places inside ``root`` that exists, as a path relative to it.

    Raises:
        SourceError: none exists, or it leads out of the root; all places are named.
    """
    for place in places:
        if within(root, place).exists():
            return place
    looked = " or ".join(places)
    raise SourceError(
        f"a part of the dataset is missing: {PurePosixPath(places[0]).name}",
        where=root,
        remedy=f"looked for {looked}; put it there, or correct the root",
    )


def within(root: Path, name: str) -> Path:
    """The path of ``name``, which a list or a layout gives relative to ``root``; Windows' separators are understood.

    Raises:
        SourceError: the name is absolute, climbs out with ``..``, or is a link that leads out of the root.
    """
    path = root / relative(root, name)
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        raise _outside(root, name)
    return path


def relative(root: Path, name: str) -> PurePosixPath:
    """A name in a list as a relative path; the disk is not asked, so links are not seen.

    Raises:
        SourceError: the name is absolute, or climbs out with ``..``.
    """
    windows, path = PureWindowsPath(name), PurePosixPath(name.replace("\\", "/"))
    if windows.drive or windows.root or ".." in path.parts or "\0" in name:
        raise _outside(root, name)
    return path


def files(root: Path, folder: str) -> list[str]:
    """The files in a folder and the folders in it, as sorted paths relative to ``root``; hidden ones are left out.

    Raises:
        SourceError: the folder is missing or a file, a link leads out of the root or to a folder, a name is not UTF-8.
    """
    return _walked(root, folder)[0]


def _walked(root: Path, folder: str) -> tuple[list[str], list[str]]:
    """The files of :func:`files`, and the hidden files and folders that were left out, sorted."""
    names, hidden, pending = [], [], [find(root, folder)]
    if not (root / pending[0]).is_dir():
        raise SourceError("a file stands where a folder is expected", where=root / folder, remedy="correct the root")
    while pending:
        place = pending.pop()
        with os.scandir(root / place) as entries:
            for entry in entries:
                name = (PurePosixPath(place) / entry.name).as_posix()
                if is_hidden(entry.name):
                    hidden.append(name)
                    continue
                _check_entry(root, name, entry)
                if entry.is_dir():
                    pending.append(name)
                elif entry.is_file() or entry.is_symlink():  # a broken link is a file that nobody can read
                    names.append(name)
    return sorted(names), sorted(hidden)


def is_hidden(name: str) -> bool:
    """Whether a file or folder is hidden, or is what file managers leave behind."""
    return name.startswith(".") or name.lower() in LITTER


def pictures(root: Path, folder: str) -> tuple[list[str], list[dict[str, str]]]:
    """The pictures in a folder and the folders in it, as :func:`files`; and what lies between them, excluded: files
    that are not named like a picture (``not_image``), and hidden ones (``hidden``)."""
    names, hidden = _walked(root, folder)
    strays = [{"where": name, "reason": "not_image"} for name in names if not is_picture(name)]
    strays += [{"where": name, "reason": "hidden"} for name in hidden]
    return [name for name in names if is_picture(name)], strays


def numbered_folders(root: Path, folder: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    """The pictures of people whose folders are named by a number, as ``training_set/17/17_cam1_2.jpg``.

    Returns:
        The number of each picture's folder, by the picture's path relative to ``root``; and what is excluded: files
        that are no picture, and pictures in no such folder, of which nobody knows whom they show (``no_identity``).

    Raises:
        SourceError: as :func:`files`, or no picture lies in such a folder.
    """
    names, excluded = pictures(root, folder)
    parents = {name: PurePosixPath(name).parent.name for name in names}
    people = {name: str(int(parent)) for name, parent in parents.items() if re.fullmatch("[0-9]{1,18}", parent)}
    if not people:
        remedy = f"expected: {folder}/<number of a person>/<picture>"
        raise SourceError(f"no picture lies in a person's folder in {folder}", where=root, remedy=remedy)
    excluded += [{"where": name, "reason": "no_identity"} for name in names if name not in people]
    return people, excluded


def some_pictures(root: Path, folder: str) -> tuple[list[str], list[dict[str, str]]]:
    """The same as :func:`pictures`, where a test set without any of them would be another one.

    Raises:
        SourceError: as :func:`files`, or there is no picture.
    """
    names, excluded = pictures(root, folder)
    if not names:
        raise SourceError(f"no picture lies in {folder}", where=root, remedy="put the pictures there")
    return names, excluded


def is_picture(name: str) -> bool:
    """Whether a file's ending is that of a picture, in either case."""
    return PurePosixPath(name).suffix.lower() in PICTURES


def _check_entry(root: Path, name: str, entry: os.DirEntry[str]) -> None:
    """Raises where an entry of a folder leads out of the root, could lead round in circles, or cannot be named."""
    if entry.is_symlink():
        within(root, name)
        if entry.is_dir():
            raise SourceError("a folder is a link", where=f"{root}: {name}", remedy="put the folder itself there")
    if not name.isascii():
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise SourceError("a file's name is not UTF-8", where=f"{root}: {name!r}", remedy="rename it") from error


def _outside(root: Path, name: str) -> SourceError:
    remedy = "get the dataset from its publisher again, or put the file itself in place of a link"
    return SourceError("a path leads out of the dataset", where=f"{root}: {name}", remedy=remedy)
