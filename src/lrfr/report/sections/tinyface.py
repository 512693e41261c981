"""TinyFace's section, of the benchmark as of every test set with its protocol; the SynLR set's charts are the same."""

import numpy as np

from lrfr.charts.curves import cmc_chart, pr_chart
from lrfr.report.blocks import Charts, Column, Note, Panel, Section, table
from lrfr.report.chance import chance
from lrfr.report.curves import points
from lrfr.report.results import HEADLINES, PARTS, Results, TestSet
from lrfr.report.wording import anchor, legend, reading


def section(name: str, results: Results, styles: dict[str, str]) -> Section:
    """The headlines with and without distractors, and the CMC and the PR curves."""
    found = results.sets[name]
    some = next(iter(found.figures.values()))
    columns = [
        Column(headline, (part, key), f"{said} ({some[part]['n_gallery']:,} gallery faces)")
        for part, said in PARTS.items()
        for key, headline in HEADLINES.items()
    ]
    return Section(
        anchor(name),
        f"TinyFace: {name}",
        f"Closed-set identification of {some['distractors']['n_probe']:,} probes.",
        [
            table(found.figures, styles, columns, "Percent, 95 % bootstrap intervals below."),
            cmc_charts(found, styles),
            _pr_charts(found, styles),
            Note(reading(found)),
        ],
    )


def cmc_charts(found: TestSet, styles: dict[str, str]) -> Charts:
    """The CMC with and without distractors, above that of chance."""
    floor, panels = chance(found.faces), []
    for part, said in PARTS.items():
        curves = points(found.curves["cmc"], "rank", _column(part))
        if curves:
            last = min(max(int(ranks[-1]) for ranks, _ in curves.values()), floor.galleries[part])
            ranks = np.arange(1, last + 1)
            curves["chance"] = ranks.astype(float), floor.cmc(part, ranks)
            panels.append(Panel(said, cmc_chart(curves, styles | {"chance": "chance"}, f"CMC {said}.")))
    caption = "Share of probes whose best mate ranks at k or better, over the rank k on a logarithmic axis."
    return Charts("CMC", panels, caption, [*legend(found, styles), ("chance", "chance")])


def _pr_charts(found: TestSet, styles: dict[str, str]) -> Charts:
    """Precision against recall, with and without distractors."""
    panels = [
        Panel(said, pr_chart(curves, styles, f"Precision against recall {said}."))
        for part, said in PARTS.items()
        if (curves := points(found.curves["pr"], "recall", _column(part)))
    ]
    caption = "Precision at each level of recall, averaged over probes."
    return Charts("Precision and recall", panels, caption, legend(found, styles))


def _column(part: str) -> str:
    """A curve's column."""
    return PARTS[part].replace(" ", "_")
