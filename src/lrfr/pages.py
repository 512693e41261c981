"""Every page and card that lrfr writes comes out of one template environment."""

import re

import jinja2

MARKDOWN = ".md.j2"
MARKUP = re.compile(r"([\\`*_\[\]<>|#~])")


def render(template: str, **values: object) -> str:
    """Renders a template of ``lrfr/templates``; equal values give equal text.

    Values are escaped in HTML. Markdown has no such rule: a template escapes there with the filter ``plain``.

    Args:
        template: the file's name, such as ``report.html.j2``.
        values: what the template names; a name that it has and ``values`` has not is an error.
    """
    return _ENVIRONMENT.get_template(template).render(values)


def plain(text: str) -> str:
    """A text on one line in which Markdown sees no markup."""
    return MARKUP.sub(r"\\\1", " ".join(text.split()))


_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("lrfr"),
    autoescape=lambda name: name is None or not name.endswith(MARKDOWN),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_ENVIRONMENT.filters["plain"] = plain
