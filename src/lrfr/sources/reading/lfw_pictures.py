"""The pictures of Labeled Faces in the Wild where they are published: a folder, or a tar archive that stays packed."""

import lzma
import posixpath
import re
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from lrfr.errors import SourceError
from lrfr.sources.reading.dataset_files import PICTURES, is_hidden, is_picture, pictures
from lrfr.sources.reading.list_checks import composed

PUBLISHED_LAYOUT = (
    "a folder or a .tar, .tar.gz or .tgz archive with <any folders>/<Name>/<Name>_0001.jpg, or another ending of "
    f"pictures: {', '.join(sorted(PICTURES))}"
)

PICTURE = re.compile(r"(?:.*/)?(?P<name>[^/]+)/(?P<stem>(?P=name)_\d+)\.\w+", re.IGNORECASE)

MOST_LINKS = 40  # that are followed from one to the next, as Linux does: more lead round in circles

# The pictures are cut so that the detected face fills their middle. Shares of the picture's width and height.
HEAD = (0.26, 0.18, 0.48, 0.64)  # x, y, width, height of the head


def stems_by_person(stems: Iterable[str]) -> dict[str, list[str]]:
    """The pictures of each person, by file names without ending, in alphabetical order."""
    people: dict[str, list[str]] = {}
    for stem in sorted(stems):
        people.setdefault(stem.rpartition("_")[0], []).append(stem)
    return people


def read_pictures(root: Path) -> tuple[dict[str, bytes], list[dict[str, str]]]:
    """Every picture in the layout, encoded, by its file name without the ending; and rows of what is excluded.

    A link inside an archive gives the picture that it leads to. One that leads out of the archive (``link_outside``),
    to nothing (``link_broken``) or to a folder (``link_to_folder``) is excluded, and so is what is neither a file nor a
    link (``not_a_file``), or lies elsewhere than in the layout (``unlisted``).

    Raises:
        SourceError: there is nothing at ``root``, it is no whole archive, an archive member has a path that leads out
            of the archive, a link in a folder leads out of it, a picture stands twice, or none lies in the layout.
    """
    excluded: list[dict[str, str]] = []
    if root.is_dir():
        members = _folder_members(root, excluded)
    elif root.is_file():
        members = _archive_members(root, excluded)
    else:
        raise SourceError("there is no dataset here", where=root, remedy=f"put LFW there: {PUBLISHED_LAYOUT}")
    read: dict[str, bytes] = {}
    for path, content in members:
        stem = composed(PurePosixPath(path).stem)
        if stem in read:
            raise SourceError(f"the picture {stem} stands twice", where=f"{root}: {path}", remedy="take one away")
        read[stem] = content
    if not read:
        raise SourceError("no picture lies where LFW keeps it", where=root, remedy=f"expected: {PUBLISHED_LAYOUT}")
    return read, excluded


def _folder_members(root: Path, excluded: list[dict[str, str]]) -> Iterator[tuple[str, bytes]]:
    """Path and content of the pictures in a folder."""
    names, strays = pictures(root, "")
    excluded += strays
    for name in names:
        if not PICTURE.fullmatch(f"{root.name}/{name}"):
            excluded.append({"where": name, "reason": "unlisted"})
            continue
        try:
            yield name, (root / name).read_bytes()
        except OSError:
            excluded.append({"where": name, "reason": "link_broken" if (root / name).is_symlink() else "no_access"})


def _archive_members(root: Path, excluded: list[dict[str, str]]) -> Iterator[tuple[str, bytes]]:
    """Path and content of the pictures in a tar archive; nothing is unpacked onto the disk."""
    try:
        with tarfile.open(root) as archive:
            members: dict[str, tarfile.TarInfo] = {}
            linked: set[str] = set()  # files to which a picture's link leads, whatever they are called
            for member in archive:
                path = _inside(member.name, root)
                members[path] = member
                if member.isfile() and _is_taken(path):
                    yield path, _content(archive, member)
            _check_end(archive)
            links = [path for path, member in members.items() if not member.isfile() and not member.isdir()]
            for path in links:
                target, reason = _target(path, members)
                if _is_taken(path) and target is not None:
                    linked.add(_inside(target.name, root))
                    yield path, _content(archive, target)
                elif _is_taken(path) or reason == "link_to_folder":
                    excluded.append({"where": path, "reason": reason})
            left = [path for path, member in members.items() if member.isfile() and not _is_taken(path)]
            excluded += [{"where": path, "reason": _fault(path)} for path in left if path not in linked]
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError) as error:
        remedy = f"copy or download it again; expected: {PUBLISHED_LAYOUT}"
        raise SourceError(f"not a whole tar archive: {error}", where=root, remedy=remedy) from error


def _is_taken(path: str) -> bool:
    """Whether a file is a picture in the layout."""
    return _fault(path) == "unlisted" and PICTURE.fullmatch(path) is not None


def _fault(path: str) -> str:
    """Why a file is left out, if it is."""
    if any(is_hidden(part) for part in PurePosixPath(path).parts):
        return "hidden"
    return "unlisted" if is_picture(path) else "not_image"


def _inside(name: str, root: Path) -> str:
    """A member's path, which must not lead out of the archive."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        what = f"an archive member has a path that leads out of the archive: {name}"
        raise SourceError(what, where=root, remedy="get the archive from its publisher again")
    return path.as_posix()


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    opened = archive.extractfile(member)
    return b"" if opened is None else opened.read()


def _target(path: str, members: Mapping[str, tarfile.TarInfo]) -> tuple[tarfile.TarInfo | None, str]:
    """The file that a link leads to, over other links where need be; or why there is none."""
    for _ in range(MOST_LINKS):
        member = members.get(path)
        if member is None or member.isdir():
            is_folder = member is not None or any(other.startswith(f"{path}/") for other in members)
            return None, "link_to_folder" if is_folder else "link_broken"
        if member.isfile():
            return member, ""
        if not (member.issym() or member.islnk()):
            return None, "not_a_file"
        # a hard link counts from the archive's top, a symbolic one from its own folder
        start = PurePosixPath(path).parent.as_posix() if member.issym() else ""
        path = posixpath.normpath(posixpath.join(start, member.linkname))
        if path.startswith(("/", "../")) or path == "..":
            return None, "link_outside"
    return None, "link_broken"


def _check_end(archive: tarfile.TarFile) -> None:
    """Raises where reading stopped short of the archive's end mark; tarfile takes a broken header for the end."""
    stream = archive.fileobj
    if stream is not None:
        stream.seek(archive.offset)
        if stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError("it breaks off before its end mark")
