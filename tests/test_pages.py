"""The one template environment."""

import jinja2
import pytest

from lrfr import pages


@pytest.mark.parametrize("template", ["quality.html.j2", "model_card.md.j2"])
def test_a_value_that_a_template_needs_and_is_not_given_is_an_error(template: str) -> None:
    with pytest.raises(jinja2.UndefinedError):
        pages.render(template)


@pytest.mark.parametrize(("template", "said"), [("a.html.j2", "&lt;b&gt;|*x*\n"), ("a.md.j2", "<b>|*x*\n")])
def test_html_escapes_and_markdown_does_not(template: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    loader = jinja2.DictLoader({template: "{{ value }}\n"})
    monkeypatch.setattr(pages, "_ENVIRONMENT", pages._ENVIRONMENT.overlay(loader=loader))
    assert pages.render(template, value="<b>|*x*") == said
