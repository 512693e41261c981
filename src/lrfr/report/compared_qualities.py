"""Qualities of several models side by side, on the scores of one and each on its own."""

from typing import Any

import numpy as np

from lrfr.charts.curves import Points, reject_chart
from lrfr.report.blocks import Charts, Column, Note, Panel, Table, table
from lrfr.report.numbers import hundredths
from lrfr.report.results import Results

FMR = ("0.001", "0.0001")
VARIANTS = {"fixed": "pairs rejected", "images": "images rejected"}
SIDES = {"on_scores": "scores of {run}", "on_its_own": "its own scores"}


def blocks(results: Results) -> list[Table | Charts | Note]:
    """The blocks; none where nobody asked for the comparison, or the false match rates are not resolved."""
    if not results.compared:
        return []
    run = results.compared["scores"]
    qualities = {name: results.compared["qualities"][name] for name in results.compared["order"]}
    styles = {name: f"c{number % 8} d{number % 4}" for number, name in enumerate(qualities)}
    shown: list[Table | Charts | Note] = []
    for fmr in FMR:
        areas = table(qualities, styles, _areas(run, next(iter(qualities)), fmr), f"FMR {fmr}: {_CAPTION}", True)
        if areas.titles:
            shown.append(Table(areas.caption, areas.groups, areas.titles, areas.rows, "Quality"))
    panels = _panels(run, qualities, styles)
    if panels:
        shown.append(Charts("Qualities of several models", panels, _CURVES, list(styles.items())))
    return shown


_CAPTION = (
    "area under the curve of FNMR up to a share that is rejected, times 100; the lower, the better. A difference is "
    "from the first quality's area, with its 95 % interval over identities: positive where the first is better."
)
_CURVES = (
    "FNMR over the share that is rejected (RI, Fig. 7): every quality on the scores of one model, and each on the "
    "scores of the model that it belongs to."
)


def _areas(run: str, first: str, fmr: str) -> list[Column]:
    columns = []
    for variant, title in VARIANTS.items():
        group, at = f"{title}, {SIDES['on_scores'].format(run=run)}", ("on_scores", variant, fmr)
        columns += [Column(f"to {limit} %", (*at, f"pauc{limit}"), group, text=hundredths) for limit in (20, 95)]
        columns.append(Column(f"to 95 %, less {first}", (*at, "pauc95_difference"), group, text=_signed))
    for variant, title in VARIANTS.items():
        group, at = f"{title}, {SIDES['on_its_own']}", ("on_its_own", variant, fmr)
        columns += [Column(f"to {limit} %", (*at, f"pauc{limit}"), group, text=hundredths) for limit in (20, 95)]
    return columns


def _panels(run: str, qualities: dict[str, Any], styles: dict[str, str]) -> list[Panel]:
    panels = []
    for fmr in FMR:
        for side, named in SIDES.items():
            for variant, rejected in VARIANTS.items():
                curves = {name: _points(of[side][variant][fmr]) for name, of in qualities.items() if of[side]}
                curves = {name: points for name, points in curves.items() if len(points[0])}
                if curves:
                    title = f"FMR {fmr}, {rejected}, {named.format(run=run)}"
                    said = f"FNMR by quality, {title}."
                    panels.append(Panel(title, reject_chart(curves, styles, said, rejected)))
    return panels


def _points(figures: dict[str, Any]) -> Points:
    """The curve where it is resolved."""
    ratio, fnmr = np.array(figures["ratio"], float), np.array(figures["fnmr"], float)
    known = np.isfinite(fnmr)
    return ratio[known], fnmr[known]


def _signed(value: float) -> str:
    return f"{100 * value:+z.2f}".replace("-", "\N{MINUS SIGN}")
