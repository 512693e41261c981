"""The report's tables and sentences as plain values; the template only lays them out."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lrfr.errors import ResultError
from lrfr.report.blocks import Cell, Row
from lrfr.report.chance import chance_cmc, chance_map
from lrfr.report.dataset import image_counts, named
from lrfr.report.figures import styles
from lrfr.report.results import CONDITIONS, HEADLINES, UNTRAINED, Results

STATISTICS = ("successful_expectations", "evaluated_expectations")


METRICS = {"cosine": "cosine similarity", "euclidean": "Euclidean distance"}
COLLECTIONS = {"native": "native LR faces", "auxiliary": "auxiliary HR faces"}


def mates_per_probe(benchmark: pa.Table) -> np.ndarray:
    """How many gallery images show each probe's identity: (P,) int.

    Raises:
        ResultError: the benchmark has no probe, or a probe without a mate.
    """
    probes = benchmark.filter(pc.field("split") == "probe")["identity"].to_pylist()
    gallery = benchmark.filter(pc.field("split") == "gallery")["identity"].to_pylist()
    images = dict(zip(*np.unique(gallery, return_counts=True), strict=True)) if gallery else {}
    mates = np.array([images.get(identity, 0) for identity in probes], dtype=int)
    if not len(mates) or mates.min() == 0:
        raise ResultError("the benchmark has no probe with a mate in the gallery", remedy="run again: lrfr split")
    return mates


def gallery_sizes(benchmark: pa.Table) -> dict[str, int]:
    """The number of gallery images with and without distractors."""
    counts = image_counts(benchmark)
    return {"distractors": counts["gallery"] + counts["distractor"], "no_distractors": counts["gallery"]}


def leaderboard(results: Results, mates: np.ndarray, galleries: dict[str, int]) -> list[Row]:
    """Every method, best rank-1 with distractors first, and a random ranking as the last row.

    Five cells with distractors, then five without; the note says what the method trained on, and what its embeddings
    are compared by where methods differ in that.
    """
    style = styles(list(results.metrics))
    rows = [
        Row(method, style[method], _cells(results.metrics[method]), _note(results, method))
        for method in results.by_rank1()
    ]
    return [*rows, Row("chance", "chance", _chance_cells(mates, galleries), "a random ranking, expected")]


def verdict(results: Results, mates: np.ndarray, galleries: dict[str, int]) -> list[str]:
    """One or two sentences on what the run shows: the best trained method against untrained weights and chance."""
    trained = [name for name in results.metrics if name != UNTRAINED]
    if not trained:
        return ["No trained method is among the parameters: the figures below are the floor alone."]
    best = max(trained, key=lambda name: results.metrics[name]["distractors"]["rank1"])
    figures = results.metrics[best]["distractors"]
    chance = _percent(float(chance_cmc(mates, galleries["distractors"], np.array([1]))[0]))
    first = (
        f"The best method, {best}, ranks the right person first for {_said(figures)} of {len(mates):,} probes "
        f"among {galleries['distractors']:,} gallery faces; a random ranking would for {chance}."
    )
    if UNTRAINED not in results.metrics:
        return [first]
    floor = results.metrics[UNTRAINED]["distractors"]
    second = f"Untrained weights do so for {_said(floor)}"
    if figures["rank1_interval"][0] <= floor["rank1_interval"][1]:
        return [first, f"{second}: the intervals meet, so this run shows no gain by training."]
    ratio = f", and training multiplies rank-1 by {figures['rank1'] / floor['rank1']:.1f}" if floor["rank1"] else ""
    return [first, f"{second}; the intervals do not meet{ratio}."]


def facts(results: Results) -> list[tuple[str, str]]:
    """What was run, as pairs of a name and a value."""
    params, counts = results.params, image_counts(results.benchmark)
    total = sum(counts.values())
    return [
        ("source", params.acquire.source),
        ("seed", str(params.seed)),
        ("identities", f"{len(named(results.benchmark)):,}"),
        ("native LR faces", f"{total:,}"),
        ("of them distractors", f"{counts['distractor']:,}"),
        ("probes", f"{counts['probe']:,}"),
        ("auxiliary HR faces", f"{results.auxiliary.num_rows:,}"),
        ("compared by", " or ".join(METRICS[name] for name in sorted(set(results.metric.values())))),
    ]


def shares(counts: dict[str, int]) -> list[tuple[str, int, float]]:
    """Reasons with their counts and shares of the sum (0..1), most frequent first."""
    total = sum(counts.values()) or 1
    return [(name, n, n / total) for name, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def quality_line(checked: list[dict[str, Any]]) -> str:
    """How many expectations the tables of these results met."""
    statistics = [table["statistics"] for result in checked for table in result["tables"].values()]
    met, total = (sum(table[key] for table in statistics) for key in STATISTICS)
    return f"{met} of {total} expectations met"


def drift_lines(results: Results) -> list[tuple[str, str]]:
    """Each synthesiser with a sentence on how far its faces are from native ones."""
    lines = []
    for name, result in results.drift.items():
        summary = result["summary"]
        drifted = sum(column["drifted"] for column in summary["columns"].values())
        said = "which counts as drift" if summary["drift"] else "which does not count as drift"
        auc = summary["classifier_auc"]
        lines.append(
            (
                name,
                f"{drifted} of {len(summary['columns'])} image statistics drifted, {said}. A classifier that is "
                f"to tell its faces from native ones has an AUC of {auc:.2f}: {_auc_reading(auc)}.",
            )
        )
    return lines


def _auc_reading(auc: float) -> str:
    """What the AUC of a classifier between two kinds of faces says of them; 0.5 is guessing, 1 is telling all apart."""
    if auc < 0.6:
        return "it hardly does better than guessing, so they look alike"
    if auc < 0.8:
        return "it is right more often than by guessing, so they differ somewhat"
    return "it tells most of them apart" if auc < 0.95 else "it tells nearly all of them apart"


def _note(results: Results, method: str) -> str:
    compared = f", {METRICS[results.metric[method]]}" if len(set(results.metric.values())) > 1 else ""
    return _trained_on(results.trains_on[method]) + compared


def _trained_on(collections: str | None) -> str:
    """What a method learnt from, in words; several collections are joined by a plus."""
    if collections is None:
        return "untrained weights"
    return "trained on " + " and ".join(COLLECTIONS[name] for name in collections.split("+"))


def _cells(figures: dict[str, dict[str, Any]]) -> list[Cell]:
    return [_cell(figures[condition], name) for condition in CONDITIONS for name in HEADLINES]


def _cell(figures: dict[str, Any], name: str) -> Cell:
    interval = [f"{100 * end:.1f}" for end in figures[f"{name}_interval"] or ()]
    return Cell(f"{100 * figures[name]:.1f}", "–".join(interval))


def _chance_cells(mates: np.ndarray, galleries: dict[str, int]) -> list[Cell]:
    cells = []
    for condition in CONDITIONS:
        ranks = np.minimum([1, 20, 50], galleries[condition])
        expected = [*chance_cmc(mates, galleries[condition], ranks), chance_map(mates, galleries[condition])]
        cells += [*(Cell(f"{100 * share:.1f}") for share in expected), Cell("–")]
    return cells


def _said(figures: dict[str, Any]) -> str:
    low, high = figures["rank1_interval"]
    return f"{_percent(figures['rank1'])} (95\u00a0% interval {100 * low:.1f}–{100 * high:.1f})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}\u00a0%"
