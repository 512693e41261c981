"""The manifest of a release: which release it is, and the SHA-256 of every file."""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from lrfr.errors import ReleaseError
from lrfr.files import parse_json, write_json
from lrfr.release.layout import MANIFEST, NAME, SIGNATURE, VERSION, tag

FORMAT = 1  # of a release; one that this code does not know is refused, an older one too
GET_AGAIN = "do not use it; get the release again from where it is published"


@dataclass(frozen=True)
class Manifest:
    """Which release a folder is.

    Attributes:
        name: of the release, such as ``tiny-face-embedder``.
        version: of the release, such as ``v1.2.0``.
        files: the SHA-256 of each file, by its path in the folder, with ``/``.
    """

    name: str
    version: str
    files: dict[str, str]

    @property
    def tag(self) -> str:
        """The release as GTO names it."""
        return tag(self.name, self.version)


def write_manifest(folder: Path, name: str, version: str) -> None:
    """Writes ``manifest.json`` over all that is in a folder."""
    files = {path: sha256(folder / path) for path in files_of(folder) if path not in (MANIFEST, SIGNATURE)}
    write_json(folder / MANIFEST, {"format": FORMAT, "name": name, "version": version, "files": files})


def read_manifest(path: Path) -> Manifest:
    """Reads a manifest that anybody may have written.

    Raises:
        ReleaseError: it is missing, damaged, of another format, or names a file outside of the folder.
    """
    try:
        told = parse_json(path.read_text(encoding="utf-8"))
        if told["format"] != FORMAT:
            remedy = "use the version of lrfr that made it, or get a newer release"
            raise ReleaseError(f"a release of format {told['format']}, not {FORMAT}", where=path, remedy=remedy)
        manifest = Manifest(told["name"], told["version"], told["files"])
        _check(manifest)
    except FileNotFoundError as error:
        remedy = "give the folder of a release; `lrfr release make` makes one"
        raise ReleaseError("there is no release here: it has no manifest", where=path, remedy=remedy) from error
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        what = f"the manifest is damaged: {type(error).__name__} {error}"
        raise ReleaseError(what, where=path, remedy=GET_AGAIN) from error
    return manifest


def _check(manifest: Manifest) -> None:
    if not (re.fullmatch(NAME, manifest.name) and re.fullmatch(VERSION, manifest.version)):
        raise ValueError(f"no release is called '{manifest.name}' '{manifest.version}'")
    for path, digest in manifest.files.items():
        parts = PurePosixPath(path).parts
        if not parts or path != "/".join(parts) or {"..", "/"} & set(parts) or re.search(r"[\\:\x00-\x1f]", path):
            raise ValueError(f"'{path}' is no file of a release")
        if not re.fullmatch("[0-9a-f]{64}", digest):
            raise ValueError(f"'{digest}' is no SHA-256")


def check_hashes(folder: Path, manifest: Manifest) -> None:
    """Compares every file of a folder with the manifest.

    Raises:
        ReleaseError: a file is missing, was added, is a link, or is not the one that was released.
    """
    there = {path for path in files_of(folder) if path not in (MANIFEST, SIGNATURE)}
    changed = [path for path in sorted(there & manifest.files.keys()) if sha256(folder / path) != manifest.files[path]]
    wrong = {
        "is missing": sorted(manifest.files.keys() - there),
        "does not belong to the release": sorted(there - manifest.files.keys()),
        "is not the file that was released": changed,
    }
    for what, paths in wrong.items():
        if paths:
            others = f", and {len(paths) - 1} more" if len(paths) > 1 else ""
            raise ReleaseError(f"{paths[0]} {what}{others}", where=folder, remedy=GET_AGAIN)


def files_of(folder: Path) -> list[str]:
    """All files in a folder and its folders, sorted, by their paths with ``/``.

    Raises:
        ReleaseError: a link or something else that is no file lies there, or the folder cannot be read.
    """
    found = []
    for place, folders, names in os.walk(folder, onerror=_cannot_be_read):
        for path in (Path(place, name) for name in (*folders, *names)):
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                remedy = "copy the release with its files: cp -rL"
                raise ReleaseError(
                    "a release has files alone, and this is a link or a device", where=path, remedy=remedy
                )
        found += [Path(place, name).relative_to(folder).as_posix() for name in names]
    return sorted(found)


def _cannot_be_read(error: OSError) -> Any:
    raise ReleaseError(f"the folder cannot be read: {error.strerror}", where=error.filename) from error


def sha256(path: Path) -> str:
    """The SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
