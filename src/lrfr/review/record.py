"""What one labeller, or the adjudicators, said so far: a manifest and the verdict that counts for each face."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock

from lrfr.core.verdicts import WITHDRAWN, Verdict
from lrfr.manifests import read_manifest
from lrfr.review.manifest import append, locked, manifest_path


@dataclass(frozen=True)
class Judgement:
    """What the page wants saved of one face.

    Attributes:
        face_id: the face.
        verdict: the verdict; None takes the last one back.
        note: anything.
        seen: the time of the face's last line when the page was shown, None if there was none; when the face was
            judged in another window since, the page must look again.
    """

    face_id: str
    verdict: str | None
    note: str = ""
    seen: str | None = None


class Record:
    """The verdicts that count, kept on the disk; several windows and processes may share a manifest.

    Args:
        labeller: who judges.
        faces: the faces whose verdicts are counted.
        adjudicates: whether this is the adjudicators' manifest, in which anybody's last word counts.
    """

    def __init__(self, labeller: str, faces: Collection[str], adjudicates: bool) -> None:
        self.labeller, self.faces, self.adjudicates = labeller, faces, adjudicates
        self.counts: Counter[str] = Counter()  # of the faces, by verdict
        self.path = manifest_path(labeller, adjudicates)
        self._last: dict[str, Verdict] = {}
        self._stamp: tuple[int, int] | None = None
        self._one_at_a_time = Lock()  # the server answers in several threads
        with locked(self.path):
            if self.path.is_file():
                append(self.path, [])  # closes a torn line, and brings what a killed server left on the disk
            self._refresh()

    def verdict(self, face_id: str) -> Verdict | None:
        """The verdict that counts for a face; None while it has none or its last one was taken back."""
        last = self._last.get(face_id)
        return None if last is None or last.note == WITHDRAWN else last

    def seen(self, face_id: str) -> str | None:
        """The time of a face's last line, taken back or not; a page that shows it knows the face as it is."""
        return self._last[face_id].at.isoformat() if face_id in self._last else None

    def save(self, judgements: Iterable[Judgement]) -> list[str]:
        """Puts verdicts on the disk; when it returns they are there. What the manifest says already is not repeated.

        Returns:
            The faces that were judged elsewhere since the page saw them; if there is one, nothing was saved.

        Raises:
            VerdictError: the manifest cannot be read or written.
        """
        with self._one_at_a_time, locked(self.path):
            self._refresh()
            news = [judgement for judgement in judgements if self._is_news(judgement)]
            stale = [judgement.face_id for judgement in news if judgement.seen != self.seen(judgement.face_id)]
            if news and not stale:
                lines = [self._line(judgement) for judgement in news]
                append(self.path, lines)
                for line in lines:
                    self._take(line)
                self._stamp = self._stamp_on_disk()
            return stale

    def _is_news(self, judgement: Judgement) -> bool:
        current = self.verdict(judgement.face_id)
        if current is None:
            return judgement.verdict is not None
        return (current.verdict, current.note) != (judgement.verdict, plain(judgement.note))

    def _line(self, judgement: Judgement) -> Verdict:
        """The new line; it is never dated before the one that it replaces, however the clock was set."""
        now = datetime.now(UTC)
        if judgement.face_id in self._last:
            now = max(now, self._last[judgement.face_id].at)
        withdrawn = judgement.verdict is None
        note = WITHDRAWN if withdrawn else plain(judgement.note)
        return Verdict(judgement.face_id, judgement.verdict or "unsure", self.labeller, now, note, self.path.stem, 0)

    def _refresh(self) -> None:
        """Reads the manifest again when another process, or git, has changed it."""
        stamp = self._stamp_on_disk()
        if stamp == self._stamp:
            return
        lines = [line for line in read_manifest(self.path) if self.adjudicates or line.labeller == self.labeller]
        self._last, self.counts = {}, Counter()
        for line in sorted(lines, key=lambda line: (line.at, line.line)):
            self._take(line)
        self._stamp = stamp

    def _take(self, line: Verdict) -> None:
        """From now on this line counts for its face."""
        counted = line.face_id in self.faces
        if counted and (before := self.verdict(line.face_id)):
            self.counts[before.verdict] -= 1
        self._last[line.face_id] = line
        if counted and (now := self.verdict(line.face_id)):
            self.counts[now.verdict] += 1

    def _stamp_on_disk(self) -> tuple[int, int]:
        if not self.path.is_file():
            return 0, 0
        status = self.path.stat()
        return status.st_size, status.st_mtime_ns


def plain(note: str) -> str:
    """A note on one line, without control characters."""
    return "".join(character for character in " ".join(note.split()) if character.isprintable())
