"""SCface's section: rank-1 by distance, in the three splits that papers use."""

from lrfr.charts.curves import cmc_chart
from lrfr.report.blocks import Charts, Column, Note, Panel, Section, table
from lrfr.report.curves import points
from lrfr.report.results import Results
from lrfr.report.wording import anchor, legend, reading

DISTANCES = {"distance_1": "4.2 m", "distance_2": "2.6 m", "distance_3": "1.0 m"}
SPLITS = {"all": "all identities", "dcr": "DCR's test part", "tc": "T-C's eval part"}


def section(name: str, results: Results, styles: dict[str, str]) -> Section:
    """One table with the splits side by side, and a CMC for each distance."""
    found = results.sets[name]
    some = next(iter(found.figures.values()))
    tested = [split for split in SPLITS if split in some]
    columns = [
        Column(title, (split, *path), f"{SPLITS[split]} ({some[split]['n_identity']})")
        for split in tested
        for title, path in [
            *((title, (distance, "rank1")) for distance, title in DISTANCES.items()),
            ("mean", ("mean_rank1",)),
        ]
    ]
    panels = [
        Panel(title, cmc_chart(curves, styles, f"CMC at {title}."))
        for distance, title in DISTANCES.items()
        if (curves := points(found.curves["cmc"], "rank", distance))
    ]
    return Section(
        anchor(name),
        f"SCface: {name}",
        "Rank-1 of surveillance faces in a gallery of one HR mugshot for each identity. The splits test all "
        "identities, the last 80 of 130 (DCR, and the papers after it), or the last 43 (T-C); of another number, the "
        "same shares.",
        [
            table(found.figures, styles, columns, "Rank-1, percent, 95 % bootstrap intervals below."),
            Charts(
                f"CMC, {SPLITS[tested[0]]}", panels, "Probes whose mugshot is within rank k.", legend(found, styles)
            ),
            Note(reading(found)),
        ],
    )
