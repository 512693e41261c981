"""One labeller, or adjudicator, before the sheets of faces or pairs: what was said of each, and how far they are."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from lrfr.core.names import Name
from lrfr.core.names import plain as plain_name
from lrfr.review.cards import Card, Cards
from lrfr.review.pace import Pace
from lrfr.review.record import Record, Statement, save
from lrfr.review.sheets import Sheet

RECENT = 9  # names that a digit gives


@dataclass(frozen=True)
class Judgement:
    """What the page wants saved of one card.

    Attributes:
        face_id: the card's id: a face's, or a pair's.
        verdict: None takes the last one back.
        note: anything.
        seen: as :attr:`lrfr.review.record.Statement.seen`.
        name: whose face it is; no text takes the last name back, None leaves it as it is.
        name_seen: as ``seen``, of the name.
    """

    face_id: str
    verdict: str | None
    note: str = ""
    seen: str | None = None
    name: str | None = None
    name_seen: str | None = None


class Session:
    """The sheets of one run of the page, and what is said on them.

    Args:
        cards: what is judged.
        sheets: the rows of each sheet.
        record: the verdicts.
        names: whose faces they are, where people may say so.
        vocabulary: names that are in use already, for the page to suggest.
        unnamed: ids that need a name beside the verdict: those whose name labellers disagree on.
    """

    def __init__(
        self,
        cards: Cards,
        sheets: list[Sheet],
        record: Record,
        names: Record[Name] | None = None,
        vocabulary: Iterable[str] = (),
        unnamed: Collection[str] = (),
    ) -> None:
        self.cards, self.sheets, self.record, self.names, self.unnamed = cards, sheets, record, names, unnamed
        self.ids = list(cards.about)
        self.rows = {card_id: row for row, card_id in enumerate(self.ids)}
        self.vocabulary = sorted(set(vocabulary))
        self.pace = Pace()

    def sheet(self, index: int) -> list[Card]:
        """The cards of a sheet, each with the verdict that it has."""
        self.pace.begin()
        named = [(row, group.name) for group in self.sheets[index] for row in group.rows]
        cards = self.cards.of([row for row, _ in named])
        return [
            card | self.state(self.ids[row]) | {"group": group}
            for card, (row, group) in zip(cards, named, strict=True)
        ]  # fmt: skip

    def save(self, judgements: Sequence[Judgement]) -> list[str]:
        """Puts verdicts and names on the disk; when it returns they are there. What is there is not repeated.

        Returns:
            The cards that were judged elsewhere since the page saw them; if there is one, nothing was saved.

        Raises:
            VerdictError: a manifest cannot be read or written.
        """
        about = self.cards.about
        judged = sum(self._judged(one) for one in judgements)
        said = [Statement(about[one.face_id], one.verdict, one.note, one.seen) for one in judgements]
        work: list[tuple[Record, list[Statement]]] = [(self.record, said)]
        if self.names is not None:  # before the verdicts: a face that has one is not asked again
            work.insert(0, (self.names, [_naming(one) for one in judgements if one.name is not None]))
        elsewhere = set(save(work))
        if not elsewhere:
            self.pace.count(judged)
        return [one.face_id for one in judgements if about[one.face_id] in elsewhere]

    def _judged(self, judgement: Judgement) -> int:
        """1 for a card's first verdict, -1 for one that is taken back."""
        had = self.record.line(self.cards.about[judgement.face_id]) is not None
        return (judgement.verdict is not None) - had

    def next_open(self, after: int) -> int | None:
        """The next sheet with a card that awaits a verdict, from the first again after the last; None at the end."""
        onward = range(after + 1, len(self.sheets))
        for index in chain(onward, range(min(after + 1, len(self.sheets)))):
            if any(self._is_open(row) for group in self.sheets[index] for row in group.rows):
                return index
        return None

    def _is_open(self, row: int) -> bool:
        card_id = self.ids[row]
        line = self.record.line(self.cards.about[card_id])
        if line is None or self.names is None or card_id not in self.unnamed:
            return line is None
        return line.says == self.cards.words[0] and self.names.line(self.cards.about[card_id]) is None

    def progress(self) -> dict[str, Any]:
        """Counts, rate (cards in an hour) and time left (s)."""
        counts, rate = self.record.counts, self.pace.per_hour()
        judged = counts.total()
        return {
            "faces": len(self.ids),
            "judged": judged,
            "verdicts": {word: counts[word] for word in self.cards.words if counts[word]},
            "named": 0 if self.names is None else self.names.counts.total(),
            "judged_now": self.pace.faces,
            "seconds": self.pace.seconds,
            "per_hour": rate,
            "seconds_left": (len(self.ids) - judged) * 3600 / rate if rate else None,
        }

    def state(self, card_id: str) -> Card:
        """What may change of a card: verdict and name, and the times by which the page knows them."""
        about = self.cards.about[card_id]
        line = self.record.line(about)
        said = {"verdict": line.says, "note": line.note} if line else {"verdict": None, "note": ""}
        state = {"face_id": card_id, "seen": self.record.seen(about)} | said
        if self.names is not None:
            name = self.names.line(about)
            state |= {"name": name.says if name else "", "name_seen": self.names.seen(about)}
            state["unnamed"] = card_id in self.unnamed
        return state

    def recent_names(self) -> list[str]:
        """The names that were given last, the last one first."""
        given = [line.says or "" for line in reversed(self.names.lines())] if self.names is not None else []
        return list(dict.fromkeys(given))[:RECENT]


def _naming(judgement: Judgement) -> Statement:
    """What the page says of a name."""
    return Statement(judgement.face_id, plain_name(judgement.name or "") or None, "", judgement.name_seen)
