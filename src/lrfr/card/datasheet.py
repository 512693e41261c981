"""The card's sections, in the order of Gebru et al., "Datasheets for Datasets", Communications of the ACM 64, 2021."""

from lrfr.card.blocks import Answer, Section, Table
from lrfr.card.composition import composition
from lrfr.card.facts import Facts
from lrfr.card.labelling import cleaning
from lrfr.card.settings import Card


def datasheet(facts: Facts) -> list[Section]:
    """All sections of the card."""
    card = facts.card
    motivation = [Answer("For what purpose was it made?", [card.purpose]), Answer("Who made it?", card.creators)]
    uses = [
        Answer("What is it for?", card.intended_use),
        Answer("What is it not for?", card.out_of_scope),
        Answer("What are its known limits?", card.limits),
    ]
    return [
        Section("Motivation", motivation),
        composition(facts),
        _collection(facts),
        cleaning(facts),
        Section("Uses", uses),
        _distribution(facts),
        Section("Maintenance", [Answer("Who keeps it?", [card.contact]), Answer("How?", [card.maintenance])]),
    ]


def licence(card: Card) -> str:
    """The licence's name and where its text stands, as far as it is known."""
    return f"{card.licence.name} ({card.licence.url})" if card.licence.url else card.licence.name


def _collection(facts: Facts) -> Section:
    card, photos = facts.card, facts.detection["photos"]
    answers = [
        Answer("How was it collected?", [card.collection]),
        Answer("Did the people shown consent?", [card.consent]),
        Answer("What is missing?", [missing(facts)]),
    ]
    rows = [
        [f"{row['from']}–{row['to'] - 1}" if row["to"] else f"{row['from']} and more", f"{row['faces']:,}",
         f"{100 * row['recall']:.1f} %", f"{row['false_alarms']:,}"]
        for row in facts.detection.get("by_height") or []
        if row["recall"] is not None
    ]  # fmt: skip
    caption = "What the detector found of the faces that the source knows to be there."
    titles = ["Height, px", "Faces", "Found", "False alarms"]
    recall = [Table(caption, titles, rows, frozenset({1, 2, 3}))] if rows and photos["native"] else []
    return Section("Collection process", [*answers, *recall])


def missing(facts: Facts) -> str:
    """What did not become a face."""
    photos, unused = facts.detection["photos"], len(facts.unused)
    searched = any(photos.get(part) for part in ("native", "auxiliary", "unrecognizable"))
    said = {
        f"photos in which no face was found: {photos['without_face']:,}": photos["without_face"],
        f"photos that could not be read: {photos['unreadable']:,}": photos["unreadable"],
        f"files or records that could not be used: {unused:,}": unused,
        "faces that the detector did not find": searched,
    }
    lost = [what for what, there in said.items() if there]
    told = "; ".join(lost)
    return f"{told[:1].upper()}{told[1:]}." if lost else "Nothing that is known: every file became a face."


def _distribution(facts: Facts) -> Section:
    card = facts.card
    rows = [
        [str(packed.path), packed.holds, f"{packed.rows:,}", f"{packed.size:,}", packed.sha256]
        for packed in facts.files
    ]
    titles = ["File", "Holds", "Rows", "Bytes", "SHA-256"]
    return Section(
        "Distribution",
        [
            Answer("Under which licence?", [licence(card)]),
            Answer("How is it cited?", [card.citation]),
            Answer("In which form?", ["Parquet, one row a face; croissant.json describes the columns for machines."]),
            Table("The files.", titles, rows, frozenset({2, 3})),
        ],
    )
