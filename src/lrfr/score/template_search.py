"""``lrfr score templates --gallery --probe``: IJB-B's and IJB-C's 1:N, from the embeddings of images."""

from pathlib import Path
from typing import Any

from lrfr.charts.curves import cmc_chart
from lrfr.core import pooling_gain
from lrfr.core.curve_points import RATES
from lrfr.core.gallery_search import BOTH, FPIR, RANKS, Found, Search, search
from lrfr.score import curves
from lrfr.score.arrays import name_of, numbered
from lrfr.score.duplicates import notes
from lrfr.score.enrolment import definition, enrol, metric_notes
from lrfr.score.outcome import LABELS, Outcome, Plot, Table, bootstrap, figures_table, gain_table
from lrfr.score.template_lists import read_enrolment

SAID = {BOTH: "all galleries as one", "mean": "mean of the galleries"}


def score(images: Path, galleries: list[Path], probe: Path, norm: str, draws: int, seed: int) -> Outcome:
    """1:N: closed and open set, in each gallery and their mean; probes whose identity is not in it are unmated.

    Args:
        images: as for pairs of templates.
        galleries: of each, lines of template and identity.
        probe: likewise.
        norm: ``keep``, ``unit`` or ``quality``.
        draws: bootstrap samples.
        seed: of the draws.

    Raises:
        EmbeddingError: a file or an array that cannot be used, a template without images or with two identities, or no
            probe whose identity is in a gallery.
    """
    read = enrol(images, norm)
    rows, names = zip(*(read_enrolment(path, read.enrolled.ids) for path in (*galleries, probe)), strict=True)
    *identities, searched = numbered(*names)
    wanted = {
        f"G{number}": Search(enrolled, identity, rows[-1], searched, lambda found: name_of(found, *names))
        for number, (enrolled, identity) in enumerate(zip(rows, identities, strict=False), 1)
    }
    found = search(wanted, read.enrolled, read.enrolled)
    by_gallery = found.figures(draws, seed)
    figures = _top(by_gallery, list(wanted)) | {"galleries": by_gallery, "duplicates": read.duplicates}
    tables = _tables(by_gallery, list(wanted))
    if norm == "quality" and draws:
        plain = enrol(images, "unit").enrolled
        figures["gain"] = pooling_gain.identified(found, search(wanted, plain, plain), FPIR, seed, draws)
        tables.append(_gain_table(figures["gain"]))
    readings = definition(norm, read.compared) | {
        "ties": "pessimistic: a template that scores as high as the mate ranks before it",
        "fnir": "share of mated probes whose mate is below the threshold, at whatever rank",
        "fpir": "share of unmated probes (identity not in the gallery) with any score at or above the threshold",
        "galleries": "each by itself, then the mean; both: one gallery out of all, closed set only",
        **bootstrap("the probes' identities", draws, seed),
        **({"gain": pooling_gain.DEFINITION} if "gain" in figures else {}),
    }
    said = metric_notes(read.compared) + _notes(figures)
    return Outcome(figures, readings, tables, lambda: _plots(found), said)


def _top(by_gallery: dict[str, Any], single: list[str]) -> dict[str, Any]:
    """The figures of the one gallery, or the mean of several."""
    shown = by_gallery[single[0]] if len(single) == 1 else by_gallery["mean"]
    return {**(shown["open"] or {"tpir": None, "fnir": None}), **shown["closed"]}


def _gain_table(gain: dict[str, Any]) -> Table:
    ranked = {LABELS["rank1"]: gain["rank1"]}
    return gain_table(ranked | {LABELS["tpir"].format(fpir): of for fpir, of in gain["tpir"].items()})


def _tables(by_gallery: dict[str, Any], single: list[str]) -> list[Table]:
    shown = single if len(single) == 1 else [*single, BOTH, "mean"]
    tables = []
    for name in shown:
        closed, opened = by_gallery[name]["closed"], by_gallery[name].get("open") or {}
        size = f": {closed['n_gallery']:,} templates, {closed['n_probe']:,} mated" if "n_gallery" in closed else ""
        unmated = f" and {opened['n_unmated']:,} unmated probes" if "n_unmated" in opened else ""
        tables.append(figures_table(f"1:N, {SAID.get(name, name)}{size}{unmated}", {**opened, **closed}))
    return tables


def _notes(figures: dict[str, Any]) -> list[str]:
    said = []
    for name, of in figures["galleries"].items():
        if name not in (BOTH, "mean") and of["open"] is None:
            said.append(f"{name}: every probe's identity is in it, so there is no open set")
        if "note" in of["closed"]:
            said.append(f"{name}: {of['closed']['note']}")
    return said + notes(figures["duplicates"])


def _plots(found: Found) -> list[Plot]:
    told = all(outcome.others for outcome, _ in found.closed.values())
    drawn = curves.plot("cmc", "CMC", {"rank": RANKS, "cmc": found.cmc()}, cmc_chart) if told else []
    return drawn + curves.det({"fpir": RATES, "fnir": found.fnir()}, ("FPIR", "FNIR"))
