"""What a version number says, and that each release's is raised as far as what changed asks for.

docs/releases.md has the rules for people.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from lrfr.errors import ReleaseError
from lrfr.release.layout import LANDMARKS, MODEL, VERSION
from lrfr.release.manifest import Manifest

WEIGHTS = (MODEL, LANDMARKS)
RAISE = "raise release.version in params.yaml"


class Version(NamedTuple):
    """A version; a later one is larger."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        """As it is written."""
        return "v" + ".".join(map(str, self))


def parse(text: str) -> Version:
    """Reads ``vMAJOR.MINOR.PATCH``.

    Raises:
        ReleaseError: it is no version.
    """
    if not re.fullmatch(VERSION, text):
        raise ReleaseError(f"'{text}' is no version", remedy="a version is vMAJOR.MINOR.PATCH, such as v1.2.0")
    return Version(*map(int, text[1:].split(".")))


def latest(versions: Iterable[str]) -> Version | None:
    """The latest of some versions; None of none."""
    return max(map(parse, versions), default=None)


def check_raised(made: Manifest, former: Manifest, contract: object, former_contract: object) -> None:
    """Compares a release with the one before it.

    Args:
        made: the manifest of the new release.
        former: that of the one before it.
        contract: the new release's contract of presentation.
        former_contract: the other one's.

    Raises:
        ReleaseError: more changed than the version says.
    """
    version, old = parse(made.version), parse(former.version)
    if contract != former_contract:
        what, least = "the contract of presentation changed", _contract_changed(old)
    elif any(made.files.get(path) != former.files.get(path) for path in WEIGHTS):
        what, least = "the weights changed, so galleries have to be enrolled anew", Version(old.major, old.minor + 1, 0)
    else:
        what, least = "a release is there", Version(old.major, old.minor, old.patch + 1)
    if version < least:
        raise ReleaseError(f"{what} since {old}, and {version} is below {least}", remedy=RAISE)


def _contract_changed(old: Version) -> Version:
    """Before v1.0.0 nothing is promised, and a changed contract raises MINOR."""
    return Version(old.major + 1, 0, 0) if old.major else Version(0, old.minor + 1, 0)
