"""The section of super-resolution: what faces look like after it, how true they are, and whether it helps a model."""

from markupsafe import Markup

from lrfr.charts.curves import Points, cmc_chart, rate_chart
from lrfr.report import examples
from lrfr.report.blocks import Cell, Charts, Panel, Row, Section, Table
from lrfr.report.conditions import AS_THEY_ARE, COMPARED, conditions, conditions_table
from lrfr.report.curves import points
from lrfr.report.published import SUPER_RESOLVED
from lrfr.report.results import Results, TestSet
from lrfr.report.wording import legend

CURVES = {"tinyface": ("cmc", "rank", "with_distractors"), "survface": ("open_set", "fpir", "tpir")}  # kind, x, column
CAPTIONS = {"tinyface": ("CMC", "With distractors."), "survface": ("Open set", "TPIR20 over FPIR.")}
MEASURES = {"psnr": ("PSNR", 2), "ssim": ("SSIM", 3)}  # title, decimals


def section(results: Results, styles: dict[str, str]) -> Section:
    """Sheets of faces and the networks' fidelity, then every test set as it is and after each network."""
    return Section(
        "super-resolution",
        "Super-resolution",
        "Networks that were trained to enlarge tiny faces, for themselves alone or inside a method. In front of a "
        "model that never saw what they make, they may help or harm (CSRI, section 5.2; T-C, sections 6.3 and 6.4).",
        [
            *examples.sheets(),
            _fidelity(results),
            *(
                block
                for name, found in results.sets.items()
                if found.protocol in COMPARED and conditions(found.figures)
                for block in _on_set(name, found, styles)
            ),
            _published(),
        ],
    )


_SAID = (
    "percent, 95 % bootstrap intervals below; changes in percentage points, p of a sign-flip permutation test over "
    "identities, or over left faces where a set names nobody"
)


def _on_set(name: str, found: TestSet, styles: dict[str, str]) -> list[Table | Charts]:
    """T-C's Tables 10 and 12, Fig. 9 and 10."""
    (kind, x, plain), (title, caption) = CURVES[found.protocol], CAPTIONS[found.protocol]
    columns = {plain: AS_THEY_ARE} | {f"{plain}_{name}": said for name, said in conditions(found.figures).items()}
    panels = [
        Panel(said, _chart(found.protocol, curves, styles, said))
        for column, said in columns.items()
        if (curves := points(found.curves[kind], x, column))
    ]
    gallery = ", with distractors" if found.protocol == "tinyface" else ""
    return [
        conditions_table(found, styles, f"Test set {name}{gallery}: {_SAID}."),
        Charts(f"{title} after super-resolution: {name}", panels, caption, legend(found, styles)),
    ]


def _chart(protocol: str, curves: dict[str, Points], styles: dict[str, str], said: str) -> Markup:
    if protocol == "tinyface":
        return cmc_chart(curves, styles, f"CMC, faces {said}.")
    return rate_chart(curves, styles, ("FPIR", "TPIR20"), f"TPIR20 against FPIR, faces {said}.")


def _fidelity(results: Results) -> Table:
    """PSNR and SSIM by the side that faces were shrunk to, beside those of bicubic interpolation to the same size."""
    sides = sorted({side for of in results.fidelity.values() for side in of["sides"]}, key=int)
    lines: dict[str, dict[str, dict[str, float]]] = {}
    for name, of in results.fidelity.items():
        lines[f"{name}, to {of['size']} px"] = of["sides"]
        bicubic = {side: {key: at[f"{key}_bicubic"] for key in MEASURES} for side, at in of["sides"].items()}
        lines.setdefault(f"bicubic, to {of['size']} px", {}).update(bicubic)
    columns = [(side, key) for side in sides for key in MEASURES]
    rows = [Row(label, "", [_measured(by_side, *column) for column in columns]) for label, by_side in lines.items()]
    faces = max((of["n_faces"] for of in results.fidelity.values()), default=0)
    caption = (
        f"How true enlarged faces are to the originals: {faces:,} validation faces, by the shortest side that they "
        "were shrunk to. PSNR in dB; the higher, the truer, as is SSIM."
    )
    titles = [MEASURES[key][0] for _, key in columns]
    return Table(caption, [(f"{side} px", len(MEASURES)) for side in sides], titles, rows if sides else [], "Network")


def _measured(by_side: dict[str, dict[str, float]], side: str, key: str) -> Cell:
    return Cell(f"{by_side[side][key]:.{MEASURES[key][1]}f}" if side in by_side else "–")


def _published() -> Table:
    """What the papers print of faces before and after a network."""
    rows = []
    for of in SUPER_RESOLVED:
        pairs = (of.rank1, of.mean_ap, of.accuracy, of.auc)
        cells = [Cell("–" if pair is None else f"{pair[after]:.1f}") for pair in pairs for after in (0, 1)]
        rows.append(Row(f"{of.method}, {of.network}", "", cells, f"{of.paper}, {of.tables}"))
    groups = ["rank-1, TinyFace", "mAP, TinyFace", "accuracy, SurvFace", "AUC, SurvFace"]
    caption = (
        "For orientation: percent, as printed in the papers, before and after a network. T-C's AUC is that of TPIR20 "
        "over FPIR. Not comparable with the tables above."
    )
    return Table(caption, [(title, 2) for title in groups], ["before", "after"] * len(groups), rows, "Model, network")
