"""QMUL-SurvFace's section: verification and open-set identification."""

from lrfr.charts.curves import det_chart, rate_chart
from lrfr.report.blocks import Charts, Column, Note, Panel, Section, Table, table
from lrfr.report.curves import points
from lrfr.report.numbers import signed_points
from lrfr.report.results import Results, TestSet
from lrfr.report.wording import GAINED, anchor, legend, reading, unresolved

FAR = ("0.3", "0.1", "0.01", "0.001")
FPIR = ("0.3", "0.2", "0.1", "0.01")


def section(name: str, results: Results, styles: dict[str, str]) -> Section:
    """Tables of both tasks; ROC and DET of the verification, TPIR20 against FPIR of the identification."""
    found = results.sets[name]
    some = next(iter(found.figures.values()))
    verification, searched = some["verification"], some["open_set"]
    verified = [Column(f"FAR {rate}", ("verification", "tar", rate), "TAR at") for rate in FAR]
    verified += [Column("AUC", ("verification", "auc")), Column("accuracy", ("verification", "accuracy"))]
    ranks = {"open_set": 20} | {key: of["rank"] for key, of in some.items() if key.startswith("open_set_rank")}
    opened = [
        column
        for key, rank in ranks.items()
        for column in (
            *(Column(f"FPIR {rate}", (key, "tpir", rate), f"TPIR{rank}") for rate in FPIR),
            Column("AUC", (key, "auc"), f"TPIR{rank}"),
        )
    ]
    return Section(
        anchor(name),
        f"QMUL-SurvFace: {name}",
        f"Verification and open-set identification: {verification['n_genuine']:,} genuine and "
        f"{verification['n_impostor']:,} impostor pairs; "
        f"{searched['n_gallery']:,} gallery identities, {searched['n_mated']:,} mated and "
        f"{searched['n_unmated']:,} unmated probes.",
        [
            table(found.figures, styles, verified, "Verification, percent, 95 % bootstrap intervals below."),
            table(found.figures, styles, opened, _OPENED),
            *_weighted(found, styles),
            Note(unresolved(verification, searched)),
            Charts("Curves", _panels(found, styles), _CAPTION, legend(found, styles)),
            Note(reading(found)),
        ],
    )


def _weighted(found: TestSet, styles: dict[str, str]) -> list[Table]:
    """Galleries weighted by quality, and what that brings, of the runs that predict one."""
    figures = {run: of["open_set_quality"] for run, of in found.figures.items() if "open_set_quality" in of}
    if not figures:
        return []
    reached = [Column(f"FPIR {rate}", ("tpir", rate), "TPIR20, weighted") for rate in FPIR]
    gained = [Column(f"FPIR {rate}", ("gain", rate, "difference"), "gain", text=signed_points) for rate in FPIR]
    return [table(figures, styles, [*reached, *gained], f"Gallery images weighted by quality, percent. {GAINED}")]


_OPENED = (
    "Open-set identification at an FPIR, and the area under TPIR over FPIR, percent, 95 % bootstrap intervals below. "
    "TPIR20 and its area are RAN's Table 4; T-C's Table 13 has the area of a smaller rank, which it does not name."
)

_CAPTION = (
    "The true-accept rate over the false-accept rate; the same as a DET plot, misses over false accepts on scales of "
    "normal deviates; and the share of mated probes whose mate is within rank 20 and above the threshold, over the "
    "share of unmated probes with anybody above it."
)


def _panels(found: TestSet, styles: dict[str, str]) -> list[Panel]:
    roc = points(found.curves["roc"], "far", "tar")
    panels = []
    if roc:
        misses = {run: (far, 1 - tar) for run, (far, tar) in roc.items()}
        panels += [
            Panel("ROC", rate_chart(roc, styles, ("FAR", "TAR"), "ROC of verification.")),
            Panel("DET", det_chart(misses, styles, ("FAR", "FNMR"), "DET plot of verification.")),
        ]
    opened = points(found.curves["open_set"], "fpir", "tpir")
    if opened:
        titles = ("FPIR", "TPIR20")
        panels.append(Panel("Open set", rate_chart(opened, styles, titles, "TPIR20 against FPIR.")))
    for column in sorted(kind for kind in next(iter(found.curves["open_set"].values())) if "tpir_rank" in kind):
        rank, curves = column.removeprefix("tpir_rank"), points(found.curves["open_set"], "fpir", column)
        if curves:
            said = f"TPIR{rank} against FPIR."
            panels.append(Panel(f"Open set, rank {rank}", rate_chart(curves, styles, ("FPIR", f"TPIR{rank}"), said)))
    return panels
