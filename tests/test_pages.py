"""The one template environment."""

from pathlib import Path

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


@pytest.mark.parametrize("width", [390, 1280])
def test_long_names_above_faces_do_not_run_into_one_another(width, chromium):
    """Real people's names have underscores and no blanks to break at, unlike those of generated people."""
    names = "".join(f"<th>{name}</th>" for name in ["Paul_McCartney", "Mark_Philippoussis", "Jelena_Dokic"] * 3)
    faces = "<td><figure><img alt='' style='aspect-ratio: 0.8'></figure></td>" * 9
    style = (Path(pages.__file__).parent / "templates" / "style.css").read_text(encoding="utf-8")
    page = chromium.new_page(viewport={"width": width, "height": 600})
    page.set_content(
        f"<style>{style}</style><div class=scroll><table class='matrix sheet'><thead><tr>{names}</tr></thead>"
        f"<tbody><tr>{faces}</tr></tbody></table></div>"
    )
    sizes = page.evaluate("[...document.querySelectorAll('th')].map((cell) => [cell.scrollWidth, cell.clientWidth])")
    page.close()
    assert len(sizes) == 9 and all(wanted <= given for wanted, given in sizes)
