"""The data-quality pages: HTML files that need neither a network nor a script."""

from typing import Any

from lrfr import pages


def render(result: dict[str, Any], labellers: dict[str, Any]) -> str:
    """Renders the validation's result and the labellers' figures, as the stages write them; equal ones, equal bytes."""
    return pages.render("quality.html.j2", **result, labellers=labellers)


def render_synthetic(result: dict[str, Any]) -> str:
    """Renders what was found of the tables that were made after the validation, in the shape of its result."""
    return pages.render("quality_synthetic.html.j2", **result)
