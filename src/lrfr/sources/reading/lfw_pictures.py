"""The pictures of Labeled Faces in the Wild where they are published: a folder, or a tar archive that stays packed."""

import re
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from lrfr.errors import SourceError

PUBLISHED_LAYOUT = "a folder or a .tar, .tar.gz or .tgz archive with <any folders>/<Name>/<Name>_0001.jpg"

PICTURE = re.compile(r"(?:.*/)?(?P<name>[^/]+)/(?P<stem>(?P=name)_\d+)\.(?:jpe?g|png)", re.IGNORECASE)

# The pictures are cut so that the detected face fills their middle. Shares of the picture's width and height.
HEAD = (0.26, 0.18, 0.48, 0.64)  # x, y, width, height of the head


def stems_by_person(stems: Iterable[str]) -> dict[str, list[str]]:
    """The pictures of each person, by file names without ending, in alphabetical order."""
    people: dict[str, list[str]] = {}
    for stem in sorted(stems):
        people.setdefault(stem.rpartition("_")[0], []).append(stem)
    return people


def read_pictures(root: Path) -> dict[str, bytes]:
    """Every picture in the layout, encoded, by its file name without the ending.

    Raises:
        SourceError: there is nothing at ``root``, it is no whole archive, an archive member has a path that leads out
            of the archive, a picture stands twice, or none lies in the layout.
    """
    if root.is_dir():
        members = _folder_members(root)
    elif root.is_file():
        members = _archive_members(root)
    else:
        raise SourceError("there is no dataset here", where=root, remedy=f"put LFW there: {PUBLISHED_LAYOUT}")
    pictures: dict[str, bytes] = {}
    for path, content in members:
        if found := PICTURE.fullmatch(path):
            if found["stem"] in pictures:
                raise SourceError(f"the picture {found['stem']} stands twice", where=f"{root}: {path}")
            pictures[found["stem"]] = content
    if not pictures:
        raise SourceError("no picture lies where LFW keeps it", where=root, remedy=f"expected: {PUBLISHED_LAYOUT}")
    return pictures


def _folder_members(root: Path) -> Iterator[tuple[str, bytes]]:
    """Path and content of the pictures in a folder."""
    for path in sorted(root.rglob("*")):
        relative = f"{root.name}/{path.relative_to(root).as_posix()}"
        if PICTURE.fullmatch(relative) and path.is_file():
            yield relative, path.read_bytes()


def _archive_members(root: Path) -> Iterator[tuple[str, bytes]]:
    """Path and content of the pictures in a tar archive; nothing is unpacked onto the disk."""
    try:
        with tarfile.open(root) as archive:
            for member in archive:
                path = PurePosixPath(member.name)
                if path.is_absolute() or ".." in path.parts:
                    what = f"an archive member has a path that leads out of the archive: {member.name}"
                    raise SourceError(what, where=root, remedy="get the archive from its publisher again")
                content = archive.extractfile(member) if member.isfile() and PICTURE.fullmatch(member.name) else None
                if content is not None:
                    yield member.name, content.read()
            _check_end(archive)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        remedy = f"copy or download it again; expected: {PUBLISHED_LAYOUT}"
        raise SourceError(f"not a whole tar archive: {error}", where=root, remedy=remedy) from error


def _check_end(archive: tarfile.TarFile) -> None:
    """Raises where reading stopped short of the archive's end mark; tarfile takes a broken header for the end."""
    stream = archive.fileobj
    if stream is not None:
        stream.seek(archive.offset)
        if stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError("it breaks off before its end mark")
