"""``lrfr release publish``: a verified release, copied to where others fetch it from."""

import shutil
from collections.abc import Callable
from pathlib import Path

from lrfr.errors import ReleaseError
from lrfr.release.folders import new_folder
from lrfr.release.trial import place_of, verify


def publish(what: str, place: Path, key: Path | None, say: Callable[[str], object] = print) -> Path:
    """Copies a release into ``PLACE/NAME/VERSION``, which is whole or not there.

    Args:
        what: the folder of a release, or the version of one of this project.
        place: a folder that is there, from which ``lrfr pull`` and web servers read.
        key: the public key, or the certificates, PEM.
        say: is told what was found and done.

    Returns:
        The folder.

    Raises:
        ReleaseError: the release is not to be trusted, the place is away, or the version is published already.
    """
    if not place.is_dir():
        raise ReleaseError("the place is away", where=place, remedy="see that it is mounted, or make the folder")
    folder, _ = place_of(what)
    manifest = verify(what, key, say)
    target = place / manifest.name / manifest.version
    if target.exists():
        remedy = "a published version is never changed; raise release.version in params.yaml"
        raise ReleaseError(f"{manifest.tag} is published already", where=target, remedy=remedy)
    with new_folder(target) as unfinished:
        shutil.copytree(folder, unfinished, dirs_exist_ok=True)
    say(f"{target}: {manifest.tag} is published")
    return target
