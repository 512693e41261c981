"""What a data card is made of: plain values, which one template lays out as HTML and another as Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from markupsafe import Markup


@dataclass(frozen=True)
class Answer:
    """What a question is answered with: a paragraph, or several points."""

    kind: ClassVar[str] = "answer"
    question: str
    points: list[str]


@dataclass(frozen=True)
class Table:
    """A table of texts; ``numbers`` are the columns of figures, and the last ``own`` rows are this benchmark's."""

    kind: ClassVar[str] = "table"
    caption: str
    titles: list[str]
    rows: list[list[str]]
    numbers: frozenset[int] = frozenset()
    own: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Figure:
    """A chart, and the same as a table, for Markdown."""

    kind: ClassVar[str] = "figure"
    chart: Markup
    table: Table


@dataclass(frozen=True)
class Section:
    """A part of the card, under its anchor."""

    title: str
    blocks: Sequence[Answer | Table | Figure] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        """Where it stands in the page."""
        return self.title.lower().replace(" ", "-").replace(",", "")
