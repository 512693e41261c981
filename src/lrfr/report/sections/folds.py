"""The section of LFW and its kin: ten-fold accuracy."""

from lrfr.charts.curves import rate_chart
from lrfr.report.blocks import Charts, Column, Note, Panel, Section, table
from lrfr.report.curves import points
from lrfr.report.results import Results
from lrfr.report.wording import anchor, legend, reading


def section(name: str, results: Results, styles: dict[str, str]) -> Section:
    """Accuracy with its spread over folds, and the ROC over all pairs."""
    found = results.sets[name]
    some = next(iter(found.figures.values()))
    columns = [Column("accuracy", ("accuracy",)), Column("spread over folds", ("accuracy_std",))]
    roc = points(found.curves["roc"], "far", "tar")
    panels = [Panel("ROC", rate_chart(roc, styles, ("FAR", "TAR"), "ROC over all pairs."))] if roc else []
    return Section(
        anchor(name),
        f"Verification in folds: {name}",
        f"The protocol of LFW and its kin: {some['n_pairs']:,} pairs in {len(some['per_fold'])} folds; each fold "
        "is judged at the best threshold of the others.",
        [
            table(found.figures, styles, columns, "Mean accuracy over folds and its standard deviation, percent."),
            Charts("Curve", panels, "The true-accept rate over the false-accept rate.", legend(found, styles)),
            Note(reading(found)),
        ],
    )
