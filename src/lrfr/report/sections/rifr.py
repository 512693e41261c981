"""The section of RIFR's P1 and P2: rank-1 against the face width, and verification at 25 px."""

from lrfr.charts.curves import rate_chart, width_chart
from lrfr.report.blocks import Charts, Column, Note, Panel, Section, table
from lrfr.report.curves import points
from lrfr.report.results import Results
from lrfr.report.wording import anchor, legend, reading, unresolved

PROTOCOLS = {"p1": "P1: LR probe, LR gallery", "p2": "P2: LR probe, HR gallery"}
FAR = ("0.0001", "0.001", "0.01")


def section(name: str, results: Results, styles: dict[str, str]) -> Section:
    """Rank-1 by width, TAR at 25 px, and the curves of both."""
    found = results.sets[name]
    some = next(iter(found.figures.values()))
    ranked = [
        Column(f"{width} px", (protocol, "rank1", width), title)
        for protocol, title in PROTOCOLS.items()
        for width in some[protocol]["rank1"]
    ]
    verified = [
        Column(f"FAR {rate}", (protocol, "verification", "tar", rate), title)
        for protocol, title in PROTOCOLS.items()
        for rate in FAR
    ]
    rank1 = {protocol: points(found.curves["rank1"], "width", protocol) for protocol in PROTOCOLS}
    roc = {protocol: points(found.curves["roc"], "far", protocol) for protocol in PROTOCOLS}
    widths = [Panel(PROTOCOLS[key], width_chart(of, styles, f"Rank-1, {key}.")) for key, of in rank1.items() if of]
    titles = ("FAR", "TAR")
    rates = [Panel(PROTOCOLS[key], rate_chart(of, styles, titles, f"ROC, {key}.")) for key, of in roc.items() if of]
    return Section(
        anchor(name),
        f"P1 and P2: {name}",
        f"RIFR's protocols: {some['n_probe']:,} faces of people are down-sampled to a width; each stands in turn in a "
        f"gallery with {some['n_distractor']:,} distractors and is looked for by the same person's others.",
        [
            table(found.figures, styles, ranked, "Rank-1, percent, 95 % bootstrap intervals over identities below."),
            Charts("Rank-1 against the width", widths, "Faces down-sampled to w px.", legend(found, styles)),
            table(found.figures, styles, verified, "Verification at 25 px: TAR, percent, intervals below."),
            Charts(
                "ROC at 25 px",
                rates,
                "TAR over FAR, distractors among the impostors.",
                legend(found, styles),
            ),
            Note(unresolved(some["p1"]["verification"])),
            Note(reading(found)),
        ],
    )
