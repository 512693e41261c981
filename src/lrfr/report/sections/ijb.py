"""IJB's section: 1:1, 1:N, the resolution sweep with its cross-resolution matrix, and the test on tiny faces."""

from typing import Any

import numpy as np

from lrfr.charts.curves import Points, cmc_chart, det_chart, rate_chart
from lrfr.charts.heat_map import heat_map
from lrfr.report.blocks import Charts, Column, Note, Panel, Section, Table, table
from lrfr.report.curves import points
from lrfr.report.numbers import signed_points
from lrfr.report.results import Results, TestSet
from lrfr.report.wording import GAINED, anchor, legend, reading, unresolved

NORMS = {"keep_norm": "norms kept", "unit_norm": "norms dropped", "quality": "weighted by quality"}
FAR = ("1e-06", "1e-05", "0.0001", "0.001", "0.01", "0.1")
TINY_FAR = ("1e-07", *FAR)
FPIR = ("0.01", "0.1")


def section(name: str, results: Results, styles: dict[str, str]) -> Section:
    """Everything on templates first, then what the resolution does to it, then the tiny faces."""
    found = results.sets[name]
    some = next(iter(found.figures.values()))
    verified = some["keep_norm"]["verification"]
    lead = (
        f"IJB-B's and IJB-C's protocols: {verified['n_genuine']:,} genuine and {verified['n_impostor']:,} impostor "
        "pairs of templates. A template is the mean within each media id, summed over media, of embeddings with their "
        "norm or without."
    )
    return Section(
        anchor(name),
        f"IJB: {name}",
        lead,
        [
            table(found.figures, styles, _verification(), "1:1, TAR, percent, 95 % bootstrap intervals below."),
            Note(unresolved(verified)),
            table(found.figures, styles, _identification(), "1:N, percent: means of the galleries, or both as one."),
            *_gained(found, styles),
            Charts("ROC, 1:1", _by_norm(found, styles, "roc"), "TAR over FAR.", legend(found, styles)),
            Charts(
                "CMC, 1:N closed set", _by_norm(found, styles, "cmc"), "Mean of the galleries.", legend(found, styles)
            ),
            Charts("DET, 1:N open set", _by_norm(found, styles, "det"), _DET, legend(found, styles)),
            *_sweep(found, styles, some["resolution"]),
            *_tiny(found, styles, some["tinyface"]),
            Note(reading(found)),
        ],
    )


_DET = "Misses (the mate below the threshold) over unmated probes with anybody above it; mean of the galleries."


def _verification() -> list[Column]:
    return [Column(f"FAR {rate}", (norm, "verification", "tar", rate), title)
            for norm, title in NORMS.items() for rate in FAR]  # fmt: skip


def _identification() -> list[Column]:
    columns = []
    for norm, title in NORMS.items():
        above = (norm, "identification")
        columns += [Column(f"rank-{k}", (*above, "mean", "closed", f"rank{k}"), title) for k in (1, 5, 10)]
        columns += [Column(f"FNIR at FPIR {rate}", (*above, "mean", "open", "fnir", rate), title) for rate in FPIR]
        columns.append(Column("rank-1, both", (*above, "both", "closed", "rank1"), title))
    return columns


def _gained(found: TestSet, styles: dict[str, str]) -> list[Table]:
    """What weighting by quality brings, of the runs that predict one."""
    figures = {run: of["quality"]["gain"] for run, of in found.figures.items() if "quality" in of}
    last = "difference"
    columns = [Column(f"FAR {rate}", ("verification", rate, last), "TAR", text=signed_points) for rate in FAR]
    columns.append(Column("rank-1", ("identification", "rank1", last), "1:N", text=signed_points))
    columns += [
        Column(f"FPIR {rate}", ("identification", "tpir", rate, last), "TPIR", text=signed_points) for rate in FPIR
    ]
    return [table(figures, styles, columns, GAINED)] if figures else []


def _by_norm(found: TestSet, styles: dict[str, str], kind: str) -> list[Panel]:
    x = {"roc": "far", "cmc": "rank", "det": "fpir"}[kind]
    shown = {title: points(found.curves[kind], x, norm) for norm, title in NORMS.items()}
    return [Panel(title, _chart(kind, of, styles, title)) for title, of in shown.items() if of]


def _chart(kind: str, curves: dict[str, Points], styles: dict[str, str], title: str):
    if kind == "cmc":
        return cmc_chart(curves, styles, f"CMC, {title}.")
    if kind == "roc":
        return rate_chart(curves, styles, ("FAR", "TAR"), f"ROC, {title}.")
    return det_chart(curves, styles, ("FPIR", "FNIR"), f"DET plot, {title}.")


def _sweep(found: TestSet, styles: dict[str, str], some: dict[str, Any]) -> list[Table | Charts]:
    """T-C's sweep: TAR by the two sides' resolutions, and identification by the probes' resolution."""
    sides = some["sides"]
    columns = [
        Column(_px(side), ("resolution", "identification", side, *path), group)
        for group, path in (
            ("rank-1, probes at", ("closed", "rank1")),
            ("FNIR at FPIR 0.01, probes at", ("open", "fnir", "0.01")),
            ("FNIR at FPIR 0.1, probes at", ("open", "fnir", "0.1")),
        )
        for side in sides
    ]
    blocks: list[Table | Charts] = []
    if some["tar"]:
        matrices = [Panel(run, _matrix(of["resolution"], run)) for run, of in found.figures.items()]
        title = f"Resolution sweep, 1:1: TAR at FAR {some['far']:g}, percent"
        caption = "Images down-sampled to a shortest side of so many px and back; both sides alike on the diagonal."
        blocks.append(Charts(title, matrices, caption))
    said = "A chart for each resolution that both sides have."
    blocks.append(
        Charts("Resolution sweep, 1:1: ROC", _by_side(found, styles, "roc", "far", sides), said, legend(found, styles))
    )
    caption = "Resolution sweep, 1:N: the gallery at full resolution; percent, means of the galleries."
    blocks.append(table(found.figures, styles, columns, caption))
    for kind, x in (("cmc", "rank"), ("det", "fpir")):
        panels = _by_side(found, styles, kind, x, sides)
        title, caption = f"Resolution sweep, 1:N: {kind.upper()}", "A chart for each shortest side of the probes."
        blocks.append(Charts(title, panels, caption, legend(found, styles)))
    return blocks


def _by_side(found: TestSet, styles: dict[str, str], kind: str, x: str, sides: list[str]) -> list[Panel]:
    of = "both sides" if kind == "roc" else "probes"
    return [
        Panel(f"{of} at {_px(side)}", _chart(kind, curves, styles, f"{of} at {_px(side)}"))
        for side in sides
        if (curves := points(found.curves[f"resolution_{kind}"], x, side))
    ]


def _matrix(sweep: dict[str, Any], run: str):
    labels = [_px(side) for side in sweep["sides"]]
    values = np.array(sweep["tar"], float)
    said = f"Cross-resolution matrix of {run}: TAR {100 * values.min():.1f} to {100 * values.max():.1f} %."
    return heat_map(values, labels, labels, ("left side", "right side"), said)


def _px(side: str) -> str:
    return side if side == "full" else f"{side} px"


def _tiny(found: TestSet, styles: dict[str, str], some: dict[str, Any]) -> list[Table | Charts | Note]:
    """RAN's test; a sentence where the set has too few tiny faces."""
    if "tar" not in some:
        return [Note(f"IJB-C TinyFace: {some['n_faces']} faces are tiny, too few for pairs of both kinds.")]
    columns = [Column(f"FAR {rate}", ("tinyface", "tar", rate), "TAR at") for rate in TINY_FAR]
    caption = (
        f"IJB-C TinyFace: {some['n_faces']:,} faces with more than 10 and less than 30 px between eyes and mouth, "
        f"paired among themselves ({some['n_genuine']:,} genuine, {some['n_impostor']:,} impostor pairs); percent."
    )
    roc = points(found.curves["tiny_roc"], "far", "tar")
    titles = ("FAR", "TAR")
    panels = [Panel("ROC", rate_chart(roc, styles, titles, "ROC of tiny faces."))] if roc else []
    return [
        table(found.figures, styles, columns, caption),
        Note(unresolved(some)),
        Charts("IJB-C TinyFace", panels, "TAR over FAR.", legend(found, styles)),
    ]
