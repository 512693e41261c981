"""The lines of manifests, CSV files to which people's work is only ever appended: verdicts, names, verdicts on pairs.

Each kind of line has columns of its own, and then labeller, at, note. How a file is read and written, which line of a
labeller counts and what several labellers come to is the same for all kinds.
"""

import csv
import io
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, Protocol, TypeVar

from lrfr.core.normal_names import normal_name
from lrfr.errors import VerdictError

SHARED = ("labeller", "at", "note")  # the columns that follow those of a kind
ADJUDICATED = "_adjudicated"  # the manifest whose lines settle disagreements
# How an append closes a line that a crash cut short before it was saved; no whole line can end so, as the time stands
# before the note
TORN = ",torn,never saved"
# A manifest has no word for "nothing was said": who takes a line back writes one more, with this note
WITHDRAWN = "withdrawn"


class Said(Protocol):
    """What every line has."""

    @property
    def labeller(self) -> str:
        """Who says so."""
        ...

    @property
    def at(self) -> datetime:
        """When."""
        ...

    @property
    def note(self) -> str:
        """Anything."""
        ...

    @property
    def manifest(self) -> str:
        """The file's name without its ending."""
        ...

    @property
    def line(self) -> int:
        """Its number, from 1."""
        ...

    @property
    def about(self) -> Hashable:
        """What is spoken of: a face, or a pair of faces."""
        ...

    @property
    def says(self) -> str | None:
        """What is said of it; None for a line that takes an earlier one back."""
        ...


Line = TypeVar("Line", bound=Said)


@dataclass(frozen=True)
class Kind(Generic[Line]):
    """One kind of manifest.

    Attributes:
        noun: what a line is, for errors.
        own: the columns that no other kind has; the last one holds what is said, those before it of what.
        silent: what that column holds in a line that takes an earlier one back.
        line: makes a line of its columns and of ``manifest`` and ``line``, all by keyword.
        check: raises VerdictError for own columns that cannot be right; it is given them by name, and the place.
    """

    noun: str
    own: tuple[str, ...]
    silent: str
    line: Callable[..., Line]
    check: Callable[[dict[str, str], str], None]

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, in their order."""
        return (*self.own, *SHARED)

    @property
    def header(self) -> str:
        """The first line of a manifest."""
        return self.render([])

    def parse(self, text: str, manifest: str, where: object) -> list[Line]:
        """Reads a manifest; lines closed as torn are passed over, for nobody was told that they were saved.

        Args:
            text: the CSV text.
            manifest: the file's name without its ending.
            where: the file, for errors.

        Raises:
            VerdictError: a column is missing, or a line has the wrong number of fields, no labeller, no ISO 8601 time,
                or what ``check`` refuses; it names file and line.
        """
        whole = ["" if line.endswith(TORN) else line for line in text.removeprefix("\ufeff").split("\n")]
        reader = csv.DictReader(io.StringIO("\n".join(whole)), strict=True)
        lines = []
        try:
            for row in self._rows(reader, where):
                lines.append(self._line(row, manifest, reader.line_num, f"{where}:{reader.line_num}"))
        except csv.Error as error:
            raise VerdictError(f"not CSV: {error}", where=f"{where}:{reader.reader.line_num}") from error
        return lines

    def _rows(self, reader: csv.DictReader, where: object) -> Iterator[dict[str, str]]:
        """The lines after the first, which must name the columns."""
        named = list(reader.fieldnames or [])
        if twice := [column for column in self.columns if named.count(column) > 1]:
            what = f"a {self.noun} manifest has two columns '{twice[0]}'"
            raise VerdictError(what, where=f"{where}:1", remedy="take one out")
        missing = [column for column in self.columns if column not in named]
        if missing:
            what = f"a {self.noun} manifest lacks the column {', '.join(missing)}"
            raise VerdictError(what, where=f"{where}:1", remedy=f"its first line must be: {','.join(self.columns)}")
        yield from reader

    def _line(self, row: dict[str, str], manifest: str, line: int, where: str) -> Line:
        """Checks one line."""
        if None in row or None in row.values():
            remedy = f"a line is: {','.join(self.columns)}; lrfr review closes a torn line at the end; "
            remedy += "look for the marks of a merge conflict"
            raise VerdictError(f"a {self.noun} has the wrong number of fields", where=where, remedy=remedy)
        own = {column: row[column] for column in self.own}
        self.check(own, where)
        if not row["labeller"] or not all(row[column] for column in self.own if column.endswith("face_id")):
            raise VerdictError(f"a {self.noun} names no face or no labeller", where=where, remedy="fill in the field")
        try:
            at = datetime.fromisoformat(row["at"])
        except ValueError as error:
            remedy = "write it as ISO 8601, such as 2024-05-01T09:30:00+00:00"
            raise VerdictError(f"'{row['at']}' is no time", where=where, remedy=remedy) from error
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return self.line(
            **own, labeller=_labeller(row["labeller"], where), at=at, note=row["note"], manifest=manifest, line=line
        )

    def render(self, lines: Iterable[Line]) -> str:
        """The text of a manifest, with its header; the inverse of :meth:`parse`."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        for line in lines:
            own = [getattr(line, column) for column in self.own]
            writer.writerow([*own, line.labeller, line.at.isoformat(), line.note])
        return text.getvalue()


def _labeller(name: str, where: str) -> str:
    """The labeller's name in its normal form: one person is one labeller, however an editor wrote an accent."""
    try:
        return normal_name(name) or name
    except ValueError as error:
        raise VerdictError(f"the labeller {error}", where=where, remedy="correct the field") from error


def in_time(line: Said) -> tuple[datetime, int, str]:
    """The key by which lines are sorted by time; of two at the same moment the later line comes last."""
    return line.at, line.line, line.manifest


def latest(lines: Iterable[Line]) -> dict[tuple[Hashable, str], Line]:
    """The latest line of each labeller on each thing, by (about, labeller); adjudications are left out.

    Of two at the same moment the later line counts. The order in which the manifests are read does not matter.
    """
    last: dict[tuple[Hashable, str], Line] = {}
    for line in sorted(lines, key=in_time):
        if line.manifest != ADJUDICATED:
            last[line.about, line.labeller] = line
    return last


def agreed(lines: Iterable[Line]) -> dict[Hashable, str | None]:
    """What people come to, by what they spoke of: the latest adjudication, else what all of them say alike.

    None stands where they disagree and nobody settled it. What everybody took back is not there.
    """
    lines = list(lines)
    said: dict[Hashable, set[str]] = {}
    for (about, _), line in latest(lines).items():
        if line.says is not None:
            said.setdefault(about, set()).add(line.says)
    outcomes = {about: next(iter(words)) if len(words) == 1 else None for about, words in said.items()}
    last = {line.about: line for line in sorted(lines, key=in_time) if line.manifest == ADJUDICATED}
    return outcomes | {about: line.says for about, line in last.items() if line.says is not None}
