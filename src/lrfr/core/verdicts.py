"""Verification manifests: what people said about faces, and what follows from it where they disagree.

A manifest is a CSV file with the columns face_id, verdict, labeller, at, note; it is only ever appended to.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from lrfr.core.normal_names import normal_name
from lrfr.errors import VerdictError

COLUMNS = ("face_id", "verdict", "labeller", "at", "note")
VERDICTS = ("face", "not_face", "unrecognizable", "unsure")
ADJUDICATED = "_adjudicated"  # the manifest whose verdicts settle disagreements
# How an append closes a line that a crash cut short before it was saved; no whole line can end so, as the time stands
# before the note
TORN = ",torn,never saved"
# A manifest has no word for "not judged": who takes a verdict back is unsure, with this note, and is asked again
WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Verdict:
    """One line of a manifest; ``manifest`` is the file's name without its ending, ``line`` counts from 1."""

    face_id: str
    verdict: str
    labeller: str
    at: datetime
    note: str
    manifest: str
    line: int


@dataclass(frozen=True)
class Outcome:
    """What the verdicts on one face come to.

    Attributes:
        verdict: face, not_face or unrecognizable; None while labellers disagree or are unsure and nobody settled it.
        adjudicated: whether the verdict was settled by adjudication.
    """

    verdict: str | None
    adjudicated: bool


def parse(text: str, manifest: str, where: object) -> list[Verdict]:
    """Reads the text of a manifest; lines closed as torn are passed over, for nobody was told that they were saved.

    Args:
        text: the CSV text.
        manifest: the file's name without its ending.
        where: the file, for errors.

    Raises:
        VerdictError: a column is missing, or a line has the wrong number of fields, an unknown verdict, no labeller or
            no ISO 8601 time; it names file and line.
    """
    whole = ["" if line.endswith(TORN) else line for line in text.removeprefix("\ufeff").split("\n")]
    reader = csv.DictReader(io.StringIO("\n".join(whole)), strict=True)
    named = list(reader.fieldnames or [])
    if twice := [column for column in COLUMNS if named.count(column) > 1]:
        raise VerdictError(
            f"a verdict manifest has two columns '{twice[0]}'", where=f"{where}:1", remedy="take one out"
        )
    missing = [column for column in COLUMNS if column not in named]
    if missing:
        what = f"a verdict manifest lacks the column {', '.join(missing)}"
        raise VerdictError(what, where=f"{where}:1", remedy=f"its first line must be: {','.join(COLUMNS)}")
    verdicts = []
    try:
        for row in reader:
            verdicts.append(_verdict(row, manifest, reader.line_num, f"{where}:{reader.line_num}"))
    except csv.Error as error:
        raise VerdictError(f"not CSV: {error}", where=f"{where}:{reader.line_num}") from error
    return verdicts


def _verdict(row: dict[str, str], manifest: str, line: int, where: str) -> Verdict:
    """Checks one line."""
    if None in row or None in row.values():
        remedy = f"a line is: {','.join(COLUMNS)}; lrfr review closes a torn line at the end; "
        remedy += "look for the marks of a merge conflict"
        raise VerdictError("a verdict has the wrong number of fields", where=where, remedy=remedy)
    if row["verdict"] not in VERDICTS:
        raise VerdictError(f"unknown verdict '{row['verdict']}'", where=where, remedy=f"known: {', '.join(VERDICTS)}")
    if not row["face_id"] or not row["labeller"]:
        raise VerdictError("a verdict names no face or no labeller", where=where, remedy="fill in the field")
    try:
        at = datetime.fromisoformat(row["at"])
    except ValueError as error:
        remedy = "write it as ISO 8601, such as 2024-05-01T09:30:00+00:00"
        raise VerdictError(f"'{row['at']}' is no time", where=where, remedy=remedy) from error
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return Verdict(row["face_id"], row["verdict"], _labeller(row["labeller"], where), at, row["note"], manifest, line)


def _labeller(name: str, where: str) -> str:
    """The labeller's name in its normal form: one person is one labeller, however an editor wrote an accent."""
    try:
        return normal_name(name) or name
    except ValueError as error:
        raise VerdictError(f"the labeller {error}", where=where, remedy="correct the field") from error


def render(verdicts: Iterable[Verdict]) -> str:
    """The text of a manifest, with its header; the inverse of :func:`parse`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for verdict in verdicts:
        writer.writerow([verdict.face_id, verdict.verdict, verdict.labeller, verdict.at.isoformat(), verdict.note])
    return text.getvalue()


def latest(verdicts: Iterable[Verdict]) -> dict[tuple[str, str], Verdict]:
    """The latest verdict of each labeller on each face, by (face_id, labeller); adjudications are left out.

    Of two at the same moment the later line counts. The order in which the manifests are read does not matter.
    """
    last: dict[tuple[str, str], Verdict] = {}
    for verdict in sorted(verdicts, key=_moment):
        if verdict.manifest != ADJUDICATED:
            last[verdict.face_id, verdict.labeller] = verdict
    return last


def resolve(verdicts: Iterable[Verdict]) -> dict[str, Outcome]:
    """What the verdicts come to, by face_id.

    An adjudication rules, the latest one first. Without one, labellers that agree rule; when they disagree, or one of
    them is unsure, the face stays undecided.
    """
    verdicts = sorted(verdicts, key=_moment)
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


def _moment(verdict: Verdict) -> tuple[datetime, int, str]:
    return verdict.at, verdict.line, verdict.manifest
