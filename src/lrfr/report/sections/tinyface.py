"""TinyFace's section, for a copy of it that is imported beside the benchmark; the SynLR set's charts are the same."""

from lrfr.charts.curves import cmc_chart
from lrfr.report.blocks import Charts, Column, Note, Panel, Section, table
from lrfr.report.curves import points
from lrfr.report.results import CONDITIONS, HEADLINES, Results, TestSet
from lrfr.report.wording import anchor, legend, reading


def section(name: str, results: Results, styles: dict[str, str]) -> Section:
    """The headlines with and without distractors, and both CMC curves."""
    found = results.sets[name]
    some = next(iter(found.figures.values()))
    columns = [
        Column(headline, (condition, key), f"{said} ({some[condition]['n_gallery']:,} gallery faces)")
        for condition, said in CONDITIONS.items()
        for key, headline in HEADLINES.items()
    ]
    return Section(
        anchor(name),
        f"TinyFace: {name}",
        f"Closed-set identification of {some['distractors']['n_probe']:,} probes.",
        [
            table(found.figures, styles, columns, "Percent, 95 % bootstrap intervals below."),
            cmc_charts(found, styles),
            Note(reading(found)),
        ],
    )


def cmc_charts(found: TestSet, styles: dict[str, str]) -> Charts:
    """The CMC with and without distractors."""
    panels = [
        Panel(said, cmc_chart(curves, styles, f"CMC {said}."))
        for said in CONDITIONS.values()
        if (curves := points(found.curves["cmc"], "rank", said.replace(" ", "_")))
    ]
    return Charts("CMC", panels, "Share of probes whose best mate ranks at k or better.", legend(found, styles))
