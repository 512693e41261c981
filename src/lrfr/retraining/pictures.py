"""The gates of a decision as a picture."""

from lrfr.charts.axes import Axis, nice_ticks
from lrfr.charts.standalone import standalone
from lrfr.charts.whiskers import Whisker, whisker_chart
from lrfr.retraining.decisions import Decision


def gate_picture(decision: Decision) -> str:
    """How much better the challenger is on native LR and on HR, with intervals: the text of an .svg file."""
    rows = [_whisker(gate, f"c{number}") for number, gate in enumerate(decision.gates) if "difference" in gate]
    ends = [0.0, *(end for row in rows for end in row.interval or (row.value,))]
    margin = 0.15 * max(max(ends) - min(ends), 0.01)
    low, high = min(ends) - margin, max(ends) + 2.5 * margin  # beyond the intervals there are figures
    ticks = [(value / 100, f"{text}") for value, text in nice_ticks(100 * low, 100 * high)]
    axis = Axis(low, high, ticks, "difference in rank-1, points; 0: as good as the champion")
    said = "; ".join(f"{row.label}: {100 * row.value:+.1f} points" for row in rows)
    chart = whisker_chart(rows, axis, f"The challenger against {decision.champion}. {said}.")
    return standalone(chart, f"{decision.decision}: the challenger against {decision.champion}")


def _whisker(gate: dict, style: str) -> Whisker:
    value, interval = gate["difference"], gate["interval"]
    ends = None if interval is None else (interval[0], interval[1])
    return Whisker(gate["name"], style, value, ends, f"{100 * value:+.1f}")
