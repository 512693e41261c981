"""The released model, against which arrivals and challengers are held."""

from dataclasses import dataclass
from pathlib import Path

from lrfr.config import Params
from lrfr.errors import ReleaseError
from lrfr.release.layout import MANIFEST, MODEL, REFERENCE
from lrfr.release.making import known_versions
from lrfr.release.manifest import check_hashes, read_manifest
from lrfr.release.settings import Release
from lrfr.release.trial import place_of
from lrfr.release.versions import Version, latest


@dataclass(frozen=True)
class Champion:
    """A release: its ``folder``, its ``tag`` and its ``version``, and the SHA-256 of its ``weights``."""

    folder: Path
    tag: str
    version: Version
    weights: str

    @property
    def reference(self) -> Path:
        """The sample of faces in numbers that drift is measured against."""
        return self.folder / REFERENCE


def champion(params: Params) -> Champion:
    """The latest release of this project, with all its files.

    Raises:
        ReleaseError: nothing was released yet, the release is not here, or a file of it is gone or changed.
    """
    name = params.read("release", Release).name
    version = latest(known_versions(name))
    if version is None:
        remedy = "release a first model: lrfr release make --key KEY, or python -m flows.release; docs/releases.md"
        raise ReleaseError("nothing was released yet, so there is nothing to hold arrivals against", remedy=remedy)
    folder, _ = place_of(str(version))
    manifest = read_manifest(folder / MANIFEST)
    check_hashes(folder, manifest)
    return Champion(folder, manifest.tag, version, manifest.files[MODEL])
