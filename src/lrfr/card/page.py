"""The data card as a page and as Markdown, both of the same sections."""

from lrfr.card.datasheet import datasheet
from lrfr.card.facts import Facts
from lrfr.pages import render
from lrfr.report.dataset import named


def html(facts: Facts) -> str:
    """One page that needs no other file, script or network; equal facts give equal bytes."""
    return render("data_card.html.j2", **_values(facts))


def markdown(facts: Facts) -> str:
    """The same in Markdown; figures as tables."""
    return render("data_card.md.j2", **_values(facts))


def _values(facts: Facts) -> dict[str, object]:
    card, heights = facts.card, facts.benchmark["height"].to_numpy()
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
