"""A challenger that was promoted and is to be released: what is left to do of that, also after a kill."""

import re

from lrfr import paths
from lrfr.config import read_params
from lrfr.errors import ParameterError
from lrfr.files import write_text
from lrfr.release.settings import Release
from lrfr.release.versions import parse
from lrfr.retraining.champion import champion
from lrfr.retraining.decisions import Decision, latest, moment, read_decisions, write_decision
from lrfr.yaml_file import read_text

VERSION = re.compile(r"^(release:[^\n]*\n(?:[ #][^\n]*\n|\n)*?  version:[ ]*)[\"']?[\w.]+[\"']?", re.MULTILINE)


def promised() -> Decision | None:
    """The promotion that was not released yet; None where there is none, or a later decision says otherwise."""
    history = read_decisions()
    last = latest(history, "retrain")
    if last is None or last.decision != "promote" or last.version is None:
        return None
    done = any(made.flow == "release" and made.version == last.version for made in history)
    return None if done else last


def set_version(version: str) -> None:
    """Writes ``release.version`` into params.yaml and leaves all else as it is.

    Raises:
        ParameterError: it does not stand there on a line of its own.
    """
    if read_params().read("release", Release).version == version:
        return
    text = read_text(paths.PARAMS, "write it as UTF-8")
    changed, count = VERSION.subn(rf"\g<1>{version}", text, count=1)
    if count != 1:
        remedy = f"write it there: release.version: {version}"
        raise ParameterError("release.version does not stand on a line of its own", where=paths.PARAMS, remedy=remedy)
    write_text(paths.PARAMS, changed)


def keep_release(promotion: Decision, now) -> Decision:
    """Keeps that a promotion was released."""
    best = champion(read_params())
    made = Decision(
        flow="release", at=moment(now), decision="released", reasons=[f"{best.tag} is made, signed and verified"],
        champion=best.tag, version=str(parse(promotion.version or "")), challenger=promotion.challenger,
    )  # fmt: skip
    write_decision(made)
    return made
