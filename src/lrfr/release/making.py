"""``lrfr release make``: the finished, signed release, out of what the stage ``package`` made."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lrfr import paths
from lrfr.config import Params, read_params
from lrfr.errors import ReleaseError
from lrfr.files import read_json, write_json
from lrfr.release.card import check_card
from lrfr.release.folders import new_folder
from lrfr.release.layout import CARD, CONFIG, FACTS, MANIFEST, PROVENANCE, tag
from lrfr.release.manifest import read_manifest, write_manifest
from lrfr.release.provenance import git_tags, provenance
from lrfr.release.settings import ModelCard, Release
from lrfr.release.signing import Signer
from lrfr.release.versions import RAISE, check_raised, latest, parse

PACKAGE = "dvc repro package; then commit dvc.lock"


def make(key: Path | None, certificate: Path | None = None, say: Callable[[str], object] = print) -> Path:
    """Makes a release into ``signed/<name>/<version>``, which is whole and signed, or not there.

    Args:
        key: the private key, PEM; see :class:`lrfr.release.signing.Signer`.
        certificate: on that key, PEM; None to sign by the key alone.
        say: is told what was made.

    Returns:
        The folder.

    Raises:
        ReleaseError: no key, no package, one of another version or with changed files, a card without its required
            parts, a version that is there already or is not raised far enough, or files that are not committed.
    """
    signer = Signer(key, certificate)
    params = read_params()
    release = params.read("release", Release)
    package, folder = paths.RELEASES / release.name, signed(release.name) / release.version
    facts = _packaged(package, params, release)
    check_card(package / CARD)
    known = known_versions(release.name)
    if release.version in known:
        raise ReleaseError(f"{tag(release.name, release.version)} is there already", where=folder, remedy=RAISE)
    origin = provenance(package)
    with new_folder(folder) as unfinished:
        shutil.copytree(package, unfinished, dirs_exist_ok=True)
        shutil.copyfile(paths.PARAMS, unfinished / CONFIG)
        write_json(unfinished / PROVENANCE, origin)
        write_manifest(unfinished, release.name, release.version)
        _check_version(unfinished, release, facts)
        signer.sign(unfinished)
    say(f"{folder}: {tag(release.name, release.version)} is made and signed; verify it: lrfr release verify")
    return folder


def signed(name: str) -> Path:
    """The folder of the signed releases of one name."""
    return paths.SIGNED / name


def known_versions(name: str) -> list[str]:
    """The versions that are here, that DVC tracks or that are registered in git, the earliest first."""
    here = signed(name).iterdir() if signed(name).is_dir() else ()
    found = {path.name.removesuffix(".dvc") for path in here} | {*git_tags(name)}
    return sorted(filter(_is_version, found), key=parse)


def _is_version(text: str) -> bool:
    try:
        parse(text)
    except ReleaseError:
        return False
    return True


def _packaged(package: Path, params: Params, release: Release) -> dict[str, Any]:
    """What the package says of itself.

    Raises:
        ReleaseError: there is none, or it is not what params.yaml asks for.
    """
    if not (package / FACTS).is_file():
        raise ReleaseError("there is no package to be released", where=package, remedy=PACKAGE)
    facts = read_json(package / FACTS, PACKAGE)
    params.read("model_card", ModelCard)
    if facts.get("release") != release.model_dump():
        made, wanted = facts.get("release"), release.model_dump()
        what = f"the package is of {made}, and params.yaml asks for {wanted}"
        raise ReleaseError(what, where=package / FACTS, remedy=PACKAGE)
    return facts


def _check_version(unfinished: Path, release: Release, facts: dict[str, Any]) -> None:
    """Compares the release with the latest one that is here."""
    before = latest(path.name for path in signed(release.name).iterdir() if _is_version(path.name))
    if before is None:
        return
    older = signed(release.name) / str(before)
    made, former = read_manifest(unfinished / MANIFEST), read_manifest(older / MANIFEST)
    check_raised(made, former, facts["contract"], read_json(older / FACTS)["contract"])
