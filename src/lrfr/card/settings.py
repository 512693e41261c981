"""params.yaml: what no table can tell about the data."""

from pydantic import Field

from lrfr.config import Section


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
