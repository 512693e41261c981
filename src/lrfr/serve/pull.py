"""Fetching a release by its version: into a folder beside, verified there, then moved to its place at once."""

import re
import shutil
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    UnknownHandler,
)

from lrfr.errors import ReleaseError
from lrfr.progress import track
from lrfr.release.folders import new_folder
from lrfr.release.layout import MANIFEST, NAME, SIGNATURE, VERSION
from lrfr.release.manifest import read_manifest
from lrfr.release.verification import verify_files

LARGEST = 2**33  # bytes of a whole release, 8 GB
LONGEST_MANIFEST = 2**22  # bytes
PART = 2**20
PATIENCE = 30  # seconds without an answer


def pull(release: str, place: str, folder: Path, key: Path) -> bool:
    """Fetches a release into a new folder.

    Args:
        release: ``NAME@vX.Y.Z``.
        place: a folder, or an http or https address, that holds ``NAME/vX.Y.Z/``.
        folder: where to; it is not there yet, or empty, or holds this very release.
        key: the public key, or the certificates, of who signed it.

    Returns:
        Whether it was fetched; it was there already otherwise, and is verified.

    Raises:
        ReleaseError: there is no such release or no such place, or it is not to be trusted.
    """
    found = re.fullmatch(f"({NAME})@({VERSION})", release)
    if not found:
        remedy = "give a name and a version, such as tiny-face-embedder@v1.2.0"
        raise ReleaseError(f"'{release}' is no release", remedy=remedy)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        _there_already(folder, key, release)
        return False
    if folder.is_dir():
        folder.rmdir()  # it is empty
    with new_folder(folder) as beside:
        source = _Web(place, *found.groups()) if re.match("https?://", place) else _Folder(place, *found.groups())
        source.fetch(MANIFEST, beside, LONGEST_MANIFEST)
        left = LARGEST
        for path in track([SIGNATURE, *read_manifest(beside / MANIFEST).files], f"fetching {release}", unit="file"):
            left -= source.fetch(path, beside, left)
        verify_files(beside, key, release)
    return True


def _there_already(folder: Path, key: Path, release: str) -> None:
    remedy = "give a folder that is new or empty"
    if not (folder / MANIFEST).is_file():
        raise ReleaseError("something else is in this folder already", where=folder, remedy=remedy)
    if (known := read_manifest(folder / MANIFEST).tag) != release:
        raise ReleaseError(f"another release is in this folder already, {known}", where=folder, remedy=remedy)
    verify_files(folder, key, release)


class _Folder:
    """Releases that lie in a folder."""

    def __init__(self, place: str, name: str, version: str) -> None:
        root = Path(place)
        self._folder = root / name / version
        for folder, what in ((root, "the place is away"), (root / name, f"'{name}' is not released here")):
            if not folder.is_dir():
                raise ReleaseError(what, where=folder, remedy=_known(folder.parent, "see that it is mounted"))
        if not self._folder.is_dir():
            what = f"'{name}' has no version {version} here"
            raise ReleaseError(what, where=root / name, remedy=_known(root / name, "ask who publishes it"))

    def fetch(self, path: str, to: Path, most: int) -> int:
        """Copies a file of at most so many bytes; says how many it has."""
        try:
            size = (self._folder / path).stat().st_size
            if size > most:
                raise _too_large(path, self._folder)
            (to / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self._folder / path, to / path)
        except FileNotFoundError as error:
            raise _lacks(path, self._folder) from error
        return size


class _Web:
    """Releases that a web server has."""

    def __init__(self, place: str, name: str, version: str) -> None:
        self._address, self._release = f"{place.rstrip('/')}/{name}/{version}", f"{name}@{version}"
        self._opener = OpenerDirector()  # no file:// and no ftp://, whatever the server redirects to
        for handler in (ProxyHandler, UnknownHandler, HTTPHandler, HTTPSHandler, HTTPDefaultErrorHandler,
                        HTTPRedirectHandler, HTTPErrorProcessor):  # fmt: skip
            self._opener.add_handler(handler())

    def fetch(self, path: str, to: Path, most: int) -> int:
        """Fetches a file of at most so many bytes; says how many it has."""
        size, address = 0, f"{self._address}/{quote(path)}"
        (to / path).parent.mkdir(parents=True, exist_ok=True)
        try:
            with self._opener.open(address, timeout=PATIENCE) as answer, (to / path).open("wb") as file:
                while part := answer.read(PART):
                    size += len(part)
                    if size > most:
                        raise _too_large(path, self._address)
                    file.write(part)
        except HTTPError as error:
            if error.code in (404, 410) and path == MANIFEST:
                what = f"there is no release {self._release} at this place"
                raise ReleaseError(what, where=address, remedy="ask who publishes it for its versions") from error
            raise _away(f"the server answers {error.code} {error.reason}", address) from error
        except (OSError, ValueError, HTTPException) as error:
            reason = error.reason if isinstance(error, URLError) else error
            raise _away(f"the place is away: {reason}", address) from error
        return size


def _away(what: str, address: str) -> ReleaseError:
    return ReleaseError(what, where=address, remedy="see that the address is right and the server runs, then try again")


def _lacks(path: str, where: object) -> ReleaseError:
    return ReleaseError(f"the release lacks {path}", where=where, remedy="ask who publishes it")


def _too_large(path: str, where: object) -> ReleaseError:
    return ReleaseError(f"{path} is larger than a release can be", where=where, remedy="do not use it")


def _known(folder: Path, otherwise: str) -> str:
    names = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    return f"known: {', '.join(names[:20])}" if names else otherwise
