"""The section of the error-versus-reject curves on the benchmark."""

from itertools import product

from lrfr.charts.curves import reject_chart
from lrfr.report.blocks import Charts, Column, Note, Panel, Section, table
from lrfr.report.curves import points
from lrfr.report.numbers import hundredths
from lrfr.report.results import BENCHMARK, Results
from lrfr.report.wording import definitions, unresolved

FMR, LOWER = "0.001", "0.0001"
QUALITIES = {
    "norm": "norm of the embedding",
    "size": "size of the face",
    "detector": "confidence of the detector",
    "ers": "ERS, distance from unrecognizable faces",
    "serfiq": "SER-FIQ, agreement under dropout",
    "quality": "the model's own quality",
}
VARIANTS = {"fixed": "Threshold fixed", "reestimated": "Threshold re-estimated", "images": "Images rejected"}


def section(results: Results, styles: dict[str, str]) -> Section:
    """Areas under the curves, and for each quality a chart of either variant."""
    figures = {run: of["rejection"] for run, of in results.sets[BENCHMARK].figures.items()}
    some = next(iter(figures.values()))
    shown = [name for name in QUALITIES if any(name in of["qualities"] for of in figures.values())]
    areas = [
        table(figures, styles, _areas(variant, shown, fmr), f"{title}, FMR {fmr}: {_CAPTION}", ascending=True)
        for fmr in (FMR, LOWER)
        for variant, title in VARIANTS.items()
        if any(fmr in of["qualities"][name].get(variant, {}) for of in figures.values() for name in of["qualities"])
    ]
    panels = []
    for name, variant in product(shown, VARIANTS):
        title = f"{QUALITIES[name]}, {VARIANTS[variant].lower()}"
        if curves := points(results.sets[BENCHMARK].curves["erc"], "ratio", f"{name} {variant} {FMR}"):
            rejected = "images rejected" if variant == "images" else "pairs rejected"
            panels.append(Panel(title, reject_chart(curves, styles, f"FNMR by {title}.", rejected)))
    missing = [part for of in some["qualities"].values() for by_fmr in of.values() for part in by_fmr.values()]
    lines = sorted({line for part in missing for line in part["not_resolvable"]})
    return Section(
        "rejection",
        "Error versus reject",
        f"{some['n_genuine']:,} genuine and {some['n_impostor']:,} impostor pairs of the benchmark's probe and gallery "
        "faces. The pairs of the lowest quality are rejected first: the faster the curve falls, the better the quality "
        f"tells what cannot be recognised. False non-match rate (FNMR) at a false match rate of {FMR}.",
        [
            *areas,
            Charts("Curves", panels, "FNMR over the share of rejected pairs.", list(styles.items())),
            Note("; ".join(some["capped"]).capitalize() + "." if some["capped"] else ""),
            Note(unresolved({"not_resolvable": lines})),
            Note(definitions({run: of["definitions"] for run, of in figures.items()})),
        ],
    )


_CAPTION = "area under the curve up to a share that is rejected, times 100; the lower, the better."


def _areas(variant: str, shown: list[str], fmr: str) -> list[Column]:
    return [
        Column(f"to {limit} %", ("qualities", name, variant, fmr, f"pauc{limit}"), QUALITIES[name], text=hundredths)
        for name in shown
        for limit in (20, 95)
    ]
