"""The data-quality pages: HTML files that need neither a network nor a script."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def render(result: dict[str, Any], labellers: dict[str, Any]) -> str:
    """Renders the validation's result and the labellers' figures, as the stages write them; equal ones, equal bytes."""
    return _rendered("quality.html.j2", result | {"labellers": labellers})


def render_synthetic(result: dict[str, Any]) -> str:
    """Renders what was found of the tables that were made after the validation, in the shape of its result."""
    return _rendered("quality_synthetic.html.j2", result)


def _rendered(template: str, values: dict[str, Any]) -> str:
    environment = Environment(
        loader=PackageLoader("lrfr"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(template).render(values)
