"""The section of super-resolution: what faces look like after it, how true they are, and whether it helps a model."""

from lrfr.charts.curves import cmc_chart, rate_chart
from lrfr.report import examples
from lrfr.report.blocks import Cell, Charts, Panel, Row, Section, Table
from lrfr.report.conditions import AS_THEY_ARE, conditions_table, test_sets, under
from lrfr.report.curves import points
from lrfr.report.published import SUPER_RESOLVED
from lrfr.report.results import Results, TestSet

MEASURES = {"psnr": ("PSNR", 2), "ssim": ("SSIM", 3)}  # title, decimals


def section(results: Results, styles: dict[str, str]) -> Section:
    """Sheets of faces and the networks' fidelity, then every test set as it is and after each network."""
    conditions = {f"super_resolved_{name}": f"after {name}" for name in results.params.evaluate.super_resolution}
    return Section(
        "super-resolution",
        "Super-resolution",
        "Networks that were trained to enlarge tiny faces, for themselves alone or inside a method. In front of a "
        "model that never saw what they make, they may help or harm (CSRI, section 5.2; T-C, sections 6.3 and 6.4).",
        [
            *examples.sheets(),
            _fidelity(results),
            *_on_benchmark(results, styles, conditions),
            *(
                block
                for name in test_sets(results.sets, conditions)
                for block in _on_set(name, results.sets[name], styles, conditions)
            ),
            _published(),
        ],
    )


_SAID = (
    "percent, 95 % bootstrap intervals below; changes in percentage points, p of a sign-flip permutation test over "
    "identities, or over left faces where a set names nobody"
)


def _on_benchmark(results: Results, styles: dict[str, str], conditions: dict[str, str]) -> list[Table | Charts]:
    """T-C's Table 10 and Fig. 9."""
    if not (tested := under(results.metrics, conditions)):
        return []
    caption = f"Super-resolution in front of a model, on the benchmark with distractors: {_SAID}."
    columns = {"with_distractors": AS_THEY_ARE} | {f"with_distractors_{name}": title for name, title in tested.items()}
    panels = [
        Panel(title, cmc_chart(curves, styles, f"CMC, faces {title}."))
        for column, title in columns.items()
        if (curves := points(results.cmc, "rank", column))
    ]
    return [
        conditions_table("tinyface", results.metrics, tested, styles, caption),
        Charts("CMC after super-resolution", panels, "With distractors.", list(styles.items())),
    ]


def _on_set(name: str, found: TestSet, styles: dict[str, str], conditions: dict[str, str]) -> list[Table | Charts]:
    """T-C's Table 12 and Fig. 10."""
    tested = under(found.figures, conditions)
    blocks: list[Table | Charts] = [
        conditions_table(found.protocol, found.figures, tested, styles, f"Test set {name}: {_SAID}.")
    ]
    columns = {"tpir": AS_THEY_ARE} | {f"tpir_{condition}": title for condition, title in tested.items()}
    panels = [
        Panel(title, rate_chart(curves, styles, ("FPIR", "TPIR20"), f"TPIR20 against FPIR, faces {title}."))
        for column, title in columns.items()
        if (curves := points(found.curves.get("open_set", {}), "fpir", column))
    ]
    return [
        *blocks,
        Charts(f"Open set after super-resolution: {name}", panels, "TPIR20 over FPIR.", list(styles.items())),
    ]


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
