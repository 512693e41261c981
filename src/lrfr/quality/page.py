"""The data-quality page: one HTML file that needs neither a network nor a script."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def render(result: dict[str, Any], labellers: dict[str, Any]) -> str:
    """Renders the validation's result and the labellers' figures, as the stages write them; equal ones, equal bytes."""
    environment = Environment(
        loader=PackageLoader("lrfr"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("quality.html.j2").render(result, labellers=labellers)
