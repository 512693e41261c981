"""A chart as a file of its own: what a page gives it, style sheet and legend, put inside."""

from collections.abc import Sequence
from importlib.resources import files
from xml.etree import ElementTree as Xml

from markupsafe import Markup

NAMESPACE = "http://www.w3.org/2000/svg"
LINE = 18  # height of a line of the legend or of the title, px


def standalone(chart: Markup, title: str = "", legend: Sequence[tuple[str, str]] = ()) -> str:
    """The text of a self-contained .svg file.

    Args:
        chart: what a chart function of this package gives.
        title: a line above the chart.
        legend: a line (label, style) for each curve, below the chart.
    """
    drawing = Xml.fromstring(chart)
    _, _, width, height = (float(number) for number in drawing.get("viewBox", "").split())
    above, below = (LINE * bool(title)), LINE * len(legend)
    size = {"width": f"{width:g}", "height": f"{height + above + below:g}"}
    page = Xml.Element("svg", {"xmlns": NAMESPACE, "viewBox": f"0 {-above} {size['width']} {size['height']}", **size})
    page.set("class", "chart")
    for name in ("role", "aria-label"):
        page.set(name, drawing.get(name, ""))
    Xml.SubElement(page, "style").text = _style()
    Xml.SubElement(page, "rect", {"class": "paper", "y": f"{-above}", **size})
    if title:
        Xml.SubElement(page, "text", {"class": "strong", "x": "0", "y": "-4"}).text = title
    page.extend(drawing)
    for row, (label, style) in enumerate(legend):
        y = f"{height + LINE * row + 10:g}"
        Xml.SubElement(page, "line", {"class": f"line {style}", "x1": "8", "x2": "34", "y1": y, "y2": y})
        Xml.SubElement(page, "text", {"class": "tick", "x": "42", "y": f"{float(y) + 4:g}"}).text = label
    return Xml.tostring(page, encoding="unicode") + "\n"


def _style() -> str:
    return (files("lrfr") / "templates" / "chart.css").read_text(encoding="utf-8")
