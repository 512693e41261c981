"""The page of `dvc plots show`, in a real browser without a network: filled as DVC fills it."""

import json
from pathlib import Path

import pytest

TEMPLATE = Path(__file__).parents[1] / ".dvc" / "plots" / "page.html"
DIV = (
    """<div id = "{id}"><script type = "text/javascript">var spec = {spec}; vegaEmbed('#{id}', spec);</script></div>"""
)


def spec(*points: tuple[float, float]) -> dict:
    """Of a curve as DVC writes it."""
    values = [{"step": x, "loss": y, "rev": "workspace"} for x, y in points]
    axes = {"x": {"field": "step"}, "y": {"field": "loss"}}
    return {"title": "training", "data": {"values": values}, "encoding": axes}


@pytest.fixture
def opened(tmp_path, chromium):
    """Opens the page with these curves on a screen of some width; nothing may be asked of a network."""
    pages = []

    def show(width: int, *specs: dict):
        divs = [DIV.format(id=f"plot{n}", spec=json.dumps(one)) for n, one in enumerate(specs)]
        html = TEMPLATE.read_text(encoding="utf-8")
        for place, text in (("plot_divs", "".join(divs)), ("refresh_tag", "")):
            html = html.replace(f"{{{place}}}", text)
        (tmp_path / "index.html").write_text(html, encoding="utf-8")
        page = chromium.new_page(viewport={"width": width, "height": 800})
        pages.append(page)
        page.on("request", lambda request: pytest.fail(request.url) if request.url[:4] == "http" else None)
        page.goto((tmp_path / "index.html").as_uri())
        return page

    yield show
    for page in pages:
        page.close()


def test_a_curve_is_drawn_and_so_is_a_single_epoch(opened):
    page = opened(1280, spec((1, 3.0), (2, 2.0), (3, 1.5)), spec((10, 4.0)))
    assert page.locator("#plot0 path").count() == 1 and page.locator("#plot0 circle").count() == 0
    assert page.locator("#plot1 path").count() == 0 and page.locator("#plot1 circle").count() == 1
    assert page.locator("#plot1 circle").bounding_box()["width"] > 4


def test_curves_fit_a_narrow_screen(opened):
    page = opened(390, spec((1, 3.0), (2, 2.0)), spec((1, 3.0), (2, 2.5)))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("svg").first.bounding_box()["width"] > 300
