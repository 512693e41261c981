"""QMUL-SurvFace's section: verification and open-set identification."""

from lrfr.charts.curves import det_chart, rate_chart
from lrfr.report.blocks import Charts, Column, Note, Panel, Section, table
from lrfr.report.curves import points
from lrfr.report.results import Results, TestSet
from lrfr.report.wording import anchor, legend, reading, unresolved

FAR = ("0.3", "0.1", "0.01", "0.001")
FPIR = ("0.3", "0.2", "0.1", "0.01")


def section(name: str, results: Results, styles: dict[str, str]) -> Section:
    """Tables of both tasks; ROC and DET of the verification, TPIR20 against FPIR of the identification."""
    found = results.sets[name]
    some = next(iter(found.figures.values()))
    verification, searched = some["verification"], some["open_set"]
    verified = [Column(f"FAR {rate}", ("verification", "tar", rate), "TAR at") for rate in FAR]
    verified += [Column("AUC", ("verification", "auc")), Column("accuracy", ("verification", "accuracy"))]
    opened = [Column(f"FPIR {rate}", ("open_set", "tpir", rate), "TPIR20 at") for rate in FPIR]
    opened += [Column("AUC", ("open_set", "auc"))]
    return Section(
        anchor(name),
        f"QMUL-SurvFace: {name}",
        f"Verification and open-set identification: {verification['n_genuine']:,} genuine and "
        f"{verification['n_impostor']:,} impostor pairs; "
        f"{searched['n_gallery']:,} gallery identities, {searched['n_mated']:,} mated and "
        f"{searched['n_unmated']:,} unmated probes.",
        [
            table(found.figures, styles, verified, "Verification, percent, 95 % bootstrap intervals below."),
            table(found.figures, styles, opened, "Open-set identification, percent, 95 % bootstrap intervals below."),
            Note(unresolved(verification, searched)),
            Charts("Curves", _panels(found, styles), _CAPTION, legend(found, styles)),
            Note(reading(found)),
        ],
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
    return panels
