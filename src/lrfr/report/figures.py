"""Each run's colour and dashes, the same in every figure, and the leaderboard's chart."""

from collections.abc import Mapping

import numpy as np

from lrfr.charts.axes import share_axis
from lrfr.charts.whiskers import Whisker, whisker_chart
from lrfr.report.blocks import Panel
from lrfr.report.chance import Chance
from lrfr.report.results import BENCHMARK, PARTS, UNTRAINED, Results, Run

COLOURS = 8  # of the style sheet; a ninth run takes the first colour again, with other dashes, up to 32


def styles(runs: Mapping[str, Run]) -> dict[str, str]:
    """Each run's class of the style sheet: the same colour and dashes in every figure; grey is the untrained one."""
    trained = [name for name, run in runs.items() if run.method != UNTRAINED]
    named = {name: f"c{index % COLOURS} d{(index + index // COLOURS) % 4}" for index, name in enumerate(trained)}
    return {name: named.get(name, "floor") for name in runs}


def rank1_panels(results: Results, chance: Chance, style: Mapping[str, str]) -> list[Panel]:
    """Rank-1 of every run with its interval, best first, then chance; one panel with and one without distractors."""
    panels = []
    for part, title in PARTS.items():
        rows = [
            Whisker(name, style[name], figures[part]["rank1"], figures[part]["rank1_interval"])
            for name, figures in results.sets[BENCHMARK].figures.items()
        ]
        rows.sort(key=lambda row: (-row.value, row.label))
        rows.append(Whisker("chance", "chance", float(chance.cmc(part, np.array([1]))[0])))
        said = ", ".join(f"{row.label} {100 * row.value:.1f} %" for row in rows)
        panels.append(Panel(title, whisker_chart(rows, share_axis("rank-1"), f"Rank-1 {title}: {said}.")))
    return panels
