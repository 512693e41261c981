"""The section of the SynLR set: its figures beside those of the native benchmark."""

from lrfr.report.blocks import Column, Note, Section, table
from lrfr.report.results import PARTS, Results
from lrfr.report.sections.tinyface import cmc_charts
from lrfr.report.wording import anchor, reading

FIGURES = {"rank1": "rank-1", "rank20": "rank-20", "rank50": "rank-50", "map": "mAP"}
SIDES = ("native", "synthetic")


def section(name: str, results: Results, styles: dict[str, str]) -> Section:
    """Native and synthetic low resolution side by side, with and without distractors, and the SynLR set's CMC."""
    found = results.sets[name]
    beside = {run: {"native": figures["native"], "synthetic": figures} for run, figures in found.figures.items()}
    columns = [
        Column(f"{title}, {side}", (side, part, key), said)
        for part, said in PARTS.items()
        for key, title in FIGURES.items()
        for side in SIDES
    ]
    counts = {side: next(iter(beside.values()))[side]["distractors"] for side in SIDES}
    sizes = [f"{side}: {of['n_probe']:,} probes, {of['n_gallery']:,} gallery faces" for side, of in counts.items()]
    return Section(
        anchor(name),
        f"SynLR: {name}",
        "The partition of the native benchmark with HR faces that were shrunk to the native mean size (CSRI, "
        "Table 4). The native figures here are of the faces that the SynLR set has; higher synthetic ones say that "
        "shrinking makes easier faces than distance does. "
        f"{'; '.join(sizes).capitalize()}.",
        [
            table(beside, styles, columns, "Percent, 95 % bootstrap intervals below."),
            cmc_charts(found, styles),
            Note(reading(found)),
        ],
    )
