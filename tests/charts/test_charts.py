"""Every chart is well-formed, scriptless, says its values in its description, and becomes a file of its own."""

from xml.etree import ElementTree as Xml

import numpy as np
import pytest

from lrfr.charts.axes import Axis, decade_axis, share_axis
from lrfr.charts.heat_map import heat_map
from lrfr.charts.histogram import histogram
from lrfr.charts.lines import Line, line_chart
from lrfr.charts.standalone import NAMESPACE, standalone
from lrfr.charts.whiskers import Whisker, whisker_chart

SVG = f"{{{NAMESPACE}}}"
HOSTILE = '<script>"a" & b</script>'


def lines(label="tc"):
    return [Line(label, "c0 d0", np.array([0.01, 0.1, 1.0]), np.array([0.2, 0.6, 1.0]))]


CHARTS = {
    "lines": lambda: line_chart(lines(), decade_axis(0.01, 1, "FAR"), share_axis("TAR"), "ROC", [0.01, 0.1]),
    "whiskers": lambda: whisker_chart([Whisker("tc", "c0 d0", 0.5, (0.4, 0.6))], share_axis("rank-1"), "Rank-1"),
    "histogram": lambda: histogram(np.arange(5.0), np.array([1, 3, 0, 2]), (2.0, "mean 2"), ("px", "faces"), "Heights"),
    "heat map": lambda: heat_map(np.array([[0.1, np.nan]]), ["8 px"], ["8 px", "full"], ("left", "right"), "Matrix"),
}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_a_described_drawing_and_the_same_every_time(name):
    chart = CHARTS[name]()
    drawing = Xml.fromstring(chart)
    assert (drawing.tag, drawing.get("role")) == ("svg", "img") and drawing.get("aria-label")
    assert chart == CHARTS[name]()
    assert "nan" not in chart and "script" not in chart


@pytest.mark.parametrize("name", CHARTS)
def test_a_file_of_its_own_brings_its_style_and_legend(name):
    text = standalone(CHARTS[name](), "A title", [("tc", "c0 d0"), (HOSTILE, "c1 d1")])
    drawing = Xml.fromstring(text)
    assert drawing.tag == f"{SVG}svg"
    style = drawing.find(f"{SVG}style")
    assert style is not None and "--c0" in (style.text or "") and ".line" in (style.text or "")
    assert not any(word in text for word in ("<script", "url(", "@import", "href"))
    said = ["".join(element.itertext()) for element in drawing.iter(f"{SVG}text")]
    assert {"A title", "tc", HOSTILE} <= set(said)
    left, top, width, height = (float(number) for number in drawing.get("viewBox", "").split())
    for element in drawing.iter(f"{SVG}text"):  # title and legend lie inside the drawing
        if element.text in ("A title", "tc", HOSTILE):
            assert left <= float(element.get("x", 0)) <= left + width
            assert top <= float(element.get("y", 0)) <= top + height
    inside = Xml.fromstring(standalone(CHARTS[name]()))
    assert inside.get("viewBox") == Xml.fromstring(CHARTS[name]()).get("viewBox")


def test_a_curve_says_nothing_where_it_has_no_points():
    short = [Line("a", "c0", np.array([0.1, 1.0]), np.array([0.5, 1.0]))]
    chart = line_chart(short, decade_axis(0.01, 1, "FAR"), share_axis("TAR"), "ROC", [0.01, 0.1])
    texts = [element.text for element in Xml.fromstring(chart).iter("text")]
    assert texts.count("50.0 %") == 1 and "–" in texts


def test_a_curve_of_one_point_shows_as_a_dot():
    chart = line_chart([Line("a", "c0", np.array([1.0]), np.array([0.5]))], Axis(0, 2, [], "x"), share_axis("y"), "a")
    assert len(list(Xml.fromstring(chart).iter("circle"))) == 1


def test_a_band_lies_about_its_curve_and_marks_stand_at_their_places():
    x, y = np.array([0.0, 1.0, 2.0]), np.array([0.2, 0.5, 0.4])
    line = Line("a", "c0", x, y, (y - 0.1, y + 0.1))
    chart = Xml.fromstring(line_chart([line], Axis(0, 2, [], "x"), share_axis("y"), "a", marks=[1.0]))
    points = [
        np.array([pair.split(",") for pair in chart.find(tag).get("points").split()], float)
        for tag in ("polyline", "polygon")
    ]
    curve, band = points
    low, high = band[:3], band[:2:-1]
    assert (low[:, 0] == curve[:, 0]).all() and (high[:, 0] == curve[:, 0]).all()
    assert low[:, 1] - curve[:, 1] == pytest.approx(curve[:, 1] - high[:, 1], abs=0.2) and (low > high)[:, 1].all()
    mark = next(element for element in chart.iter("line") if element.get("class") == "mark")
    assert float(mark.get("x1")) == float(mark.get("x2")) == curve[1, 0]


def test_darker_cells_have_higher_values_and_unknown_ones_none():
    chart = heat_map(np.array([[0.1, 0.9], [np.nan, 2.0]]), ["a", "b"], ["c", "d"], ("left", "right"), "Matrix")
    opacity = [float(cell.get("fill-opacity", 1)) for cell in Xml.fromstring(chart).iter("rect")]
    assert opacity == pytest.approx([0.075, 0.675, 0.0, 0.75])
    assert [text.text for text in Xml.fromstring(chart).iter("text")].count("–") == 1


def test_names_are_escaped():
    chart = line_chart(lines(HOSTILE), decade_axis(0.01, 1, "FAR"), share_axis("TAR"), HOSTILE, [0.1])
    assert "<script>" not in chart
    assert HOSTILE in [element.text for element in Xml.fromstring(chart).iter("text")]
