"""The data card as a page and as Markdown, both of the same sections."""

import re

import jinja2

from lrfr.card.datasheet import datasheet
from lrfr.card.facts import Facts
from lrfr.report.dataset import named

MARKUP = re.compile(r"([\\`*_\[\]<>|#~])")


def html(facts: Facts) -> str:
    """One page that needs no other file, script or network; equal facts give equal bytes."""
    return _environment(autoescape=True).get_template("data_card.html.j2").render(_values(facts))


def markdown(facts: Facts) -> str:
    """The same in Markdown; figures as tables."""
    environment = _environment(autoescape=False)
    environment.filters["plain"] = plain
    return environment.get_template("data_card.md.j2").render(_values(facts))


def plain(text: str) -> str:
    """A text on one line in which Markdown sees no markup."""
    return MARKUP.sub(r"\\\1", " ".join(text.split()))


def _environment(autoescape: bool) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("lrfr"), autoescape=autoescape, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip


def _values(facts: Facts) -> dict[str, object]:
    card, heights = facts.params.card, facts.benchmark["height"].to_numpy()
    brief = {
        "version": card.version,
        "published": card.published,
        "faces": f"{len(facts.benchmark):,}",
        "identities": f"{len(named(facts.benchmark)):,}",
        "mean height": f"{heights.mean():.1f} px",
        "auxiliary HR faces": f"{len(facts.auxiliary):,}",
        "test sets beside it": f"{len(facts.test_sets):,}",
    }
    return {"card": card, "brief": brief, "sections": datasheet(facts)}
