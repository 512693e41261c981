"""Verification manifests: what people said about faces, and what follows from it where they disagree.

A manifest is a CSV file with the columns face_id, verdict, labeller, at, note; it is only ever appended to.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from lrfr.core import manifest_lines
from lrfr.core.manifest_lines import ADJUDICATED as ADJUDICATED
from lrfr.core.manifest_lines import TORN as TORN
from lrfr.core.manifest_lines import WITHDRAWN as WITHDRAWN
from lrfr.core.manifest_lines import Kind, in_time
from lrfr.errors import VerdictError

VERDICTS = ("face", "not_face", "unrecognizable", "unsure")


@dataclass(frozen=True)
class Verdict:
    """One line of a manifest; ``manifest`` is the file's name without its ending, ``line`` counts from 1.

    Who takes a verdict back is ``unsure`` with the note ``withdrawn``, and is asked again.
    """

    face_id: str
    verdict: str
    labeller: str
    at: datetime
    note: str
    manifest: str
    line: int

    @property
    def about(self) -> str:
        """The face."""
        return self.face_id

    @property
    def says(self) -> str | None:
        """The verdict; None where one is taken back."""
        return None if self.note == WITHDRAWN else self.verdict


@dataclass(frozen=True)
class Outcome:
    """What the verdicts on one face come to.

    Attributes:
        verdict: face, not_face or unrecognizable; None while labellers disagree or are unsure and nobody settled it.
        adjudicated: whether the verdict was settled by adjudication.
    """

    verdict: str | None
    adjudicated: bool


def _check(own: dict[str, str], where: str) -> None:
    if own["verdict"] not in VERDICTS:
        raise VerdictError(f"unknown verdict '{own['verdict']}'", where=where, remedy=f"known: {', '.join(VERDICTS)}")


KIND = Kind("verdict", ("face_id", "verdict"), "unsure", Verdict, _check)
COLUMNS, parse, render = KIND.columns, KIND.parse, KIND.render


def latest(verdicts: Iterable[Verdict]) -> dict[tuple[str, str], Verdict]:
    """The latest verdict of each labeller on each face, as :func:`lrfr.core.manifest_lines.latest` has it."""
    return {(line.face_id, line.labeller): line for line in manifest_lines.latest(verdicts).values()}


def resolve(verdicts: Iterable[Verdict]) -> dict[str, Outcome]:
    """What the verdicts come to, by face_id.

    An adjudication rules, the latest one first. Without one, labellers that agree rule; when they disagree, or one of
    them is unsure, the face stays undecided.
    """
    verdicts = sorted(verdicts, key=in_time)
    said: dict[str, set[str]] = {}
    for (face_id, _), verdict in latest(verdicts).items():
        said.setdefault(face_id, set()).add(verdict.verdict)
    outcomes = {}
    for face_id, opinions in said.items():
        agreed = next(iter(opinions)) if len(opinions) == 1 and "unsure" not in opinions else None
        outcomes[face_id] = Outcome(agreed, adjudicated=False)
    for verdict in verdicts:
        if verdict.manifest == ADJUDICATED:
            settled = None if verdict.verdict == "unsure" else verdict.verdict
            outcomes[verdict.face_id] = Outcome(settled, adjudicated=settled is not None)
    return outcomes
