"""The section on predicted qualities: how they lie, what rejecting by them brings, and faces at either end."""

from itertools import product

from lrfr.charts.curves import density_chart, reject_chart
from lrfr.report import compared_qualities, examples
from lrfr.report.blocks import Charts, Column, Note, Panel, Section, Sheet, table
from lrfr.report.curves import points
from lrfr.report.rejection import QUALITIES, VARIANTS
from lrfr.report.results import BENCHMARK, Results
from lrfr.report.sheets import benchmark_row

KINDS = {"unrecognizable": "unrecognizable faces", "lr": "LR faces", "hr": "HR faces"}
STYLES = {title: f"c{number} d{number}" for number, title in enumerate(KINDS.values())}
FMR = ("0.001", "0.0001")


def section(results: Results, styles: dict[str, str]) -> Section | None:
    """The section; None where no run predicts a quality and nobody asked for those of several runs."""
    found = results.sets[BENCHMARK]
    figures = {run: of["recognizability"] for run, of in found.figures.items() if "recognizability" in of}
    compared = compared_qualities.blocks(results)
    if not figures:
        return Section("recognizability", "Recognizability", _LEAD, compared) if compared else None
    first = list({of["kind"]: run for run, of in reversed(figures.items())}.values())[::-1]  # of each kind
    columns = [
        Column("Spearman's rho", ("spearman_size",), "with the face's size", text=_signed),
        *(Column(title, ("n", kind), "faces", text=_count) for kind, title in KINDS.items()),
    ]
    blocks = [
        table(figures, styles, columns, "The quality that a model predicts, and the shorter side of the face, px."),
        Charts("How the quality lies", _distributions(results, list(figures)), _DISTRIBUTIONS, list(STYLES.items())),
        *(_rejection(results, run) for run in first),
        *compared,
        *(_sheet(run, figures[run]) for run in first),
        *([seen] if (seen := examples.activations()) else []),
        Note(f"{_predicted(figures)} {_SOURCES}"),
    ]
    return Section("recognizability", "Recognizability", _LEAD, blocks)


_LEAD = (
    "Some models predict with every embedding how well the face can be recognised. A quality is good if it is low for "
    "faces that nobody recognises, and if false non-matches vanish quickly as faces of low quality are rejected."
)
_DISTRIBUTIONS = (
    "Share of the faces over the predicted quality, scaled to 0 to 1 by the range of all faces (RI, Figs. 1 and 6)."
)
_SOURCES = (
    "Norm: MagFace (2021); ERS: Deng et al. (2023); SER-FIQ: Terhorst et al. (2020); recognizability: RI (2023); "
    "classifiability: CR-FIQA (2023)."
)


def _predicted(figures: dict[str, dict]) -> str:
    """Which run predicts what."""
    kinds = dict.fromkeys(of["kind"] for of in figures.values())
    runs = {kind: ", ".join(run for run, of in figures.items() if of["kind"] == kind) for kind in kinds}
    return "Predicted: " + "; ".join(f"{kind} by {names}" for kind, names in runs.items()) + "."


def _distributions(results: Results, runs: list[str]) -> list[Panel]:
    panels = []
    for run in runs:
        curve = results.sets[BENCHMARK].curves["quality"][run]
        curves = {title: (curve["quality"], curve[kind]) for kind, title in KINDS.items() if kind in curve}
        panels.append(Panel(run, density_chart(curves, STYLES, f"Quality predicted by {run}.")))
    return panels


def _rejection(results: Results, run: str) -> Charts:
    """Fig. 7: every quality on the scores of one run."""
    curve = results.sets[BENCHMARK].curves["erc"]
    styles = {title: f"c{number % 8} d{number % 4}" for number, title in enumerate(QUALITIES.values())}
    panels, drawn = [], set()
    for fmr, (variant, title) in product(FMR, VARIANTS.items()):
        told = {
            shown: points({run: curve[run]}, "ratio", f"{name} {variant} {fmr}") for name, shown in QUALITIES.items()
        }
        curves = {shown: found[run] for shown, found in told.items() if found}
        if curves:
            drawn |= curves.keys()
            what = "images rejected" if variant == "images" else "pairs rejected"
            said = f"FNMR by quality, {title.lower()}, FMR {fmr}."
            panels.append(Panel(f"FMR {fmr}, {title.lower()}", reject_chart(curves, styles, said, what)))
    legend = [(title, style) for title, style in styles.items() if title in drawn]
    caption = "FNMR over the share that is rejected (RI, Fig. 7)."
    return Charts(f"Rejecting by quality, scores of {run}", panels, caption, legend)


def _sheet(run: str, figures: dict) -> Sheet:
    rows = [benchmark_row(end, figures[end]) for end in ("lowest", "highest")]
    places = [str(place + 1) for place in range(len(rows[0].faces))]
    caption = "Probe and gallery faces of the lowest quality, the lowest first, and of the highest (RI, Fig. 6)."
    return Sheet(f"Faces at either end, {run}", caption, places, rows, subject="Quality")


def _signed(value: float) -> str:
    return f"{value:+z.2f}".replace("-", "\N{MINUS SIGN}")


def _count(value: float) -> str:
    return f"{value:,.0f}"
