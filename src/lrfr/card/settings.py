"""params.yaml: what no table can tell about the data."""

import re
from collections.abc import Iterator

from pydantic import Field

from lrfr import paths
from lrfr.config import Acquire, Section
from lrfr.errors import ParameterError

# What only a card of generated people says: that nobody is there, or that somebody drew them
NOBODY = re.compile(
    r"\b(people|persons?|identities|individuals|subjects|faces|they|who)\b[^.]{0,40}\b(do|does|did) not exist"
    r"|\b(never|not) (existed|lived)\b|\bnobody (\w+ ){0,3}exists\b"
    r"|\bno (such|real) (person|people)\b"
    r"|\b(generated|rendered|synthetic|artificial|imaginary|fictitious|virtual|non-?existent|invented)[ -]"
    r"(\w+[ -])?(people|persons?|identit|individual|subject|human|face|photo|portrait)"
    r"|\b(people|persons|faces|portraits|photos) (are|were) (drawn|generated|rendered|invented|artificial|synthetic)\b"
    r"|\brender(er|ed|s)\b|\b(nobody|anybody)'s (face|consent)|\bnobody can be recogni[sz]ed"
    r"|\bno photograph of anybody\b|\bembedded benchmark\b",
    re.IGNORECASE,
)


class Licence(Section):
    """A licence by its name, and where its text stands."""

    name: str
    url: str | None = None


class Card(Section):
    """What no table can tell about the data; ``published`` is a date, ``citation`` BibTeX or plain text."""

    name: str = Field(pattern="^[A-Za-z0-9][A-Za-z0-9 _.-]*$")
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    published: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    description: str
    purpose: str
    creators: list[str] = Field(min_length=1)
    contact: str
    licence: Licence
    citation: str
    keywords: list[str] = Field(default_factory=list)
    collection: str
    consent: str
    demographics: str
    intended_use: list[str]
    out_of_scope: list[str]
    limits: list[str]
    maintenance: str


def check_people(card: Card, acquire: Acquire) -> None:
    """A card may say that nobody exists, or that nobody's consent is at stake, where all people are generated.

    Raises:
        ParameterError: it says so, and a source has people who live.
    """
    if acquire.shows_nobody:
        return
    said = list(dict.fromkeys(key for key, text in _texts(card) if NOBODY.search(text)))
    if said:
        what = f"the data card speaks of generated people, and the sources ({acquire.sources}) show people who live"
        remedy = "write the card section anew: what the data is, whom it shows, whether they consented, its licence"
        raise ParameterError(what, where=f"{paths.PARAMS}: card: {', '.join(said)}", remedy=remedy)


def _texts(card: Card) -> Iterator[tuple[str, str]]:
    """Every text of the card with its key; a name's hyphens are spaces."""
    for key, value in card.model_dump(exclude={"licence", "version", "published"}).items():
        for text in [value] if isinstance(value, str) else value:
            yield key, text.replace("-", " ").replace("_", " ")
    yield "licence", card.licence.name
