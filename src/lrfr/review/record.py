"""What one labeller, or the adjudicators, said so far: a manifest and the line that counts for each face or pair."""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Generic

from lrfr.core.manifest_lines import WITHDRAWN, Line
from lrfr.manifests import KINDS, read_manifest
from lrfr.review.manifest import append, locked, manifest_path


@dataclass(frozen=True)
class Statement:
    """What the page wants saved of one face or pair.

    Attributes:
        about: the face, or the pair.
        says: the verdict, or the name; None takes the last one back.
        note: anything.
        seen: the time of the last line on it when the page was shown, None if there was none; when something was said
            of it in another window since, the page must look again.
    """

    about: Hashable
    says: str | None
    note: str = ""
    seen: str | None = None


class Record(Generic[Line]):
    """The lines that count, kept on the disk; several windows and processes may share a manifest.

    Args:
        folder: of the manifests of one kind.
        labeller: who judges.
        asked: the faces or pairs whose lines are counted.
        adjudicates: whether this is the adjudicators' manifest, in which anybody's last word counts.
    """

    def __init__(self, folder: Path, labeller: str, asked: Collection[Hashable], adjudicates: bool) -> None:
        self.labeller, self.asked, self.adjudicates = labeller, asked, adjudicates
        self.kind = KINDS[folder]
        self.counts: Counter[str] = Counter()  # of what was asked, by what is said of it
        self.path = manifest_path(labeller, adjudicates, folder)
        self._last: dict[Hashable, Line] = {}
        self._stamp: tuple[int, int] | None = None
        self._one_at_a_time = Lock()  # the server answers in several threads
        with locked(self.path):
            if self.path.is_file():
                append(self.path, [], self.kind)  # closes a torn line, and brings to the disk what a killed server left
            self._refresh()

    def line(self, about: Hashable) -> Line | None:
        """The line that counts; None while nothing was said, or the last word was taken back."""
        last = self._last.get(about)
        return None if last is None or last.says is None else last

    def seen(self, about: Hashable) -> str | None:
        """The time of the last line, taken back or not; a page that shows it knows what was said so far."""
        return self._last[about].at.isoformat() if about in self._last else None

    def lines(self) -> list[Line]:
        """All lines that count, the oldest first."""
        found = [line for line in self._last.values() if line.says is not None]
        return sorted(found, key=lambda line: line.at)

    @contextmanager
    def open(self) -> Iterator[None]:
        """Keeps other windows and processes from the manifest, and reads what they have written to it so far."""
        with self._one_at_a_time, locked(self.path):
            self._refresh()
            yield

    def stale(self, statements: Iterable[Statement]) -> list[Hashable]:
        """What was spoken of elsewhere since the page saw it. Call it while the record is open."""
        return [one.about for one in statements if self._is_news(one) and one.seen != self.seen(one.about)]

    def write(self, statements: Iterable[Statement]) -> None:
        """Puts lines on the disk, when it returns they are there; what the manifest says already is not repeated.

        Call it while the record is open.

        Raises:
            VerdictError: the manifest cannot be read or written.
        """
        lines = [self._line(one) for one in statements if self._is_news(one)]
        if lines:
            append(self.path, lines, self.kind)
            for line in lines:
                self._take(line)
            self._stamp = self._stamp_on_disk()

    def _is_news(self, statement: Statement) -> bool:
        current = self.line(statement.about)
        if current is None:
            return statement.says is not None
        return (current.says, current.note) != (statement.says, plain(statement.note))

    def _line(self, statement: Statement) -> Line:
        """The new line; it is never dated before the one that it replaces, however the clock was set."""
        now, last = datetime.now(UTC), self._last.get(statement.about)
        if last is not None:
            now = max(now, last.at)
        about = (statement.about,) if isinstance(statement.about, str) else statement.about
        says = statement.says if statement.says is not None else self.kind.silent
        note = plain(statement.note) if statement.says is not None else WITHDRAWN
        own = dict(zip(self.kind.own, (*about, says), strict=True))  # pyrefly: ignore - a pair is a tuple
        return self.kind.line(**own, labeller=self.labeller, at=now, note=note, manifest=self.path.stem, line=0)

    def _refresh(self) -> None:
        """Reads the manifest again when another process, or git, has changed it."""
        stamp = self._stamp_on_disk()
        if stamp == self._stamp:
            return
        read = read_manifest(self.path, self.kind)
        lines = [line for line in read if self.adjudicates or line.labeller == self.labeller]
        self._last, self.counts = {}, Counter()
        for line in sorted(lines, key=lambda line: (line.at, line.line)):
            self._take(line)
        self._stamp = stamp

    def _take(self, line: Line) -> None:
        """From now on this line counts."""
        counted = line.about in self.asked
        if counted and (before := self.line(line.about)):
            self.counts[str(before.says)] -= 1
        self._last[line.about] = line
        if counted and (now := self.line(line.about)):
            self.counts[str(now.says)] += 1

    def _stamp_on_disk(self) -> tuple[int, int]:
        if not self.path.is_file():
            return 0, 0
        status = self.path.stat()
        return status.st_size, status.st_mtime_ns


def save(work: Sequence[tuple[Record, Sequence[Statement]]]) -> list[Hashable]:
    """Saves what belongs together in several manifests, which every caller names in the same order.

    Returns:
        What was spoken of elsewhere since the page saw it; if there is anything, nothing was saved.

    Raises:
        VerdictError: a manifest cannot be read or written.
    """
    with ExitStack() as opened:
        for record, _ in work:
            opened.enter_context(record.open())
        stale = [about for record, statements in work for about in record.stale(statements)]
        if not stale:
            for record, statements in work:
                record.write(statements)
    return list(dict.fromkeys(stale))


def plain(note: str) -> str:
    """A note on one line, without control characters."""
    return "".join(character for character in " ".join(note.split()) if character.isprintable())
