"""The report's figures: which curves stand in which chart."""

import numpy as np

from lrfr.charts.axes import Axis, share_axis
from lrfr.charts.lines import Line, line_chart
from lrfr.charts.whiskers import Whisker, whisker_chart
from lrfr.report.blocks import Panel
from lrfr.report.chance import chance_cmc
from lrfr.report.results import CONDITIONS, UNTRAINED, Curve, Results

COLOURS = 8  # of the style sheet; a ninth method takes the first colour again, with other dashes, up to 32
CMC_TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000, 100_000)
CURVE_POINTS = 160


def styles(methods: list[str]) -> dict[str, str]:
    """Each method's class of the style sheet: the same colour and dashes in every figure; grey is the untrained one."""
    trained = [method for method in methods if method != UNTRAINED]
    named = {method: f"c{index % COLOURS} d{(index + index // COLOURS) % 4}" for index, method in enumerate(trained)}
    return {method: named.get(method, "floor") for method in methods}


def rank1_panels(results: Results, mates: np.ndarray, galleries: dict[str, int]) -> list[Panel]:
    """Rank-1 of every method with its interval, best first, then chance; one panel with and one without distractors."""
    style, panels = styles(list(results.metrics)), []
    for condition, title in CONDITIONS.items():
        rows = [
            Whisker(method, style[method], figures[condition]["rank1"], figures[condition]["rank1_interval"])
            for method, figures in results.metrics.items()
        ]
        rows.sort(key=lambda row: (-row.value, row.label))
        rows.append(Whisker("chance", "chance", float(chance_cmc(mates, galleries[condition], np.array([1]))[0])))
        said = ", ".join(f"{row.label} {100 * row.value:.1f} %" for row in rows)
        panels.append(Panel(title, whisker_chart(rows, share_axis("rank-1"), f"Rank-1 {title}: {said}.")))
    return panels


def cmc_panels(results: Results, mates: np.ndarray, galleries: dict[str, int]) -> list[Panel]:
    """CMC curves over a logarithmic rank axis, one panel with and one without distractors."""
    panels, style = [], styles(list(results.cmc))
    last = int(max(curve["rank"][-1] for curve in results.cmc.values()))
    ticks = [(rank, f"{rank:,}") for rank in CMC_TICKS if rank <= last]
    x_axis, y_axis = Axis(1, last, ticks, "rank", "log"), share_axis("probes found")
    for condition, title in CONDITIONS.items():
        ranks = _log_ranks(min(last, galleries[condition]))
        lines = [Line("chance", "chance", ranks, chance_cmc(mates, galleries[condition], ranks))]
        lines += [_cmc_line(method, style[method], curve, condition) for method, curve in results.cmc.items()]
        lines.reverse()
        readings = [rank for rank in CMC_TICKS if rank <= ranks[-1]]
        alt = f"CMC curves {title}. Share of probes found within rank 20: {_read_out(lines, 20)}."
        panels.append(Panel(title, line_chart(lines, x_axis, y_axis, alt, readings)))
    return panels


def pr_panels(results: Results) -> list[Panel]:
    """Precision against recall, averaged over probes, one panel with and one without distractors."""
    panels, style = [], styles(list(results.pr))
    x_axis, y_axis = share_axis("recall"), share_axis("precision")
    for condition, title in CONDITIONS.items():
        lines = [
            Line(method, style[method], *_known(curve["recall"], curve[_column(condition)]))
            for method, curve in reversed(results.pr.items())
        ]
        alt = f"Precision against recall {title}. Precision at half recall: {_read_out(lines, 0.5)}."
        panels.append(Panel(title, line_chart(lines, x_axis, y_axis, alt, lines[0].x.tolist())))
    return panels


def _cmc_line(method: str, style: str, curve: Curve, condition: str) -> Line:
    ranks, found = _known(curve["rank"], curve[_column(condition)])
    rows = np.searchsorted(ranks, _log_ranks(int(ranks[-1])))
    return Line(method, style, ranks[rows], found[rows])


def _log_ranks(last: int) -> np.ndarray:
    """Increasing ranks, 1..last, about evenly spread on a logarithmic axis, those of the ticks among them."""
    spread = np.round(np.geomspace(1, last, CURVE_POINTS)).astype(int)
    return np.union1d(spread, [rank for rank in CMC_TICKS if rank <= last])


def _known(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The points of a curve whose cells are not blank."""
    known = np.isfinite(x) & np.isfinite(y)
    return x[known], y[known]


def _column(condition: str) -> str:
    return CONDITIONS[condition].replace(" ", "_")


def _read_out(lines: list[Line], at: float) -> str:
    return ", ".join(f"{line.label} {100 * np.interp(at, line.x, line.y):.1f} %" for line in lines)
