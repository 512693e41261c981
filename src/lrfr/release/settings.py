"""params.yaml: what is released, and what its card says that no table can tell."""

from typing import Annotated

from pydantic import Field

from lrfr.config import FileName, Section
from lrfr.release.layout import VERSION

Text = Annotated[str, Field(min_length=1)]


class Release(Section):
    """What is released: the model of which run, under which name and version (docs/releases.md has the rules)."""

    run: str
    name: FileName = Field(pattern="^[a-z0-9-]*$")  # a tag of git's too, as GTO wants it
    version: str = Field(pattern=f"^{VERSION}$")


class ModelCard(Section):
    """What the model card says beside the figures.

    Attributes:
        licence: of the model, as Hugging Face names it, such as ``apache-2.0``; imported weights keep their own.
        intended_use: what it is for.
        out_of_scope: what it must not be used for.
        limits: what it cannot do, or what nobody has measured.
    """

    licence: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    intended_use: list[Text] = Field(min_length=1)
    out_of_scope: list[Text] = Field(min_length=1)
    limits: list[Text] = Field(min_length=1)
