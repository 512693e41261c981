"""The report's facts, shares and sentences as plain values; the template only lays them out."""

from typing import Any

from lrfr.report.dataset import by_whom, image_counts, named
from lrfr.report.results import Results
from lrfr.report.wording import METRICS

STATISTICS = ("successful_expectations", "evaluated_expectations")


def facts(results: Results) -> list[tuple[str, str]]:
    """What was run, as pairs of a name and a value."""
    params, counts = results.params, image_counts(results.benchmark)
    total = sum(counts.values())
    return [
        ("source", params.acquire.sources),
        ("seed", str(params.seed)),
        ("identities", f"{len(named(results.benchmark)):,}"),
        ("native LR faces", f"{total:,}"),
        ("of them distractors", f"{counts['distractor']:,}"),
        ("probes", f"{counts['probe']:,}"),
        ("auxiliary HR faces", f"{results.auxiliary.num_rows:,}"),
        ("compared by", " or ".join(METRICS[name] for name in sorted({run.metric for run in results.runs.values()}))),
    ]


def labellers(results: Results) -> str:
    """Who judged the faces that several judged."""
    agreement, curate = results.labellers["agreement"], results.params.curate
    return by_whom(agreement.get("labellers", ()), curate.get("simulated_labellers") or {}) if agreement else ""


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
    """Each synthesiser with a sentence on how far its faces are from native ones by their pictures alone."""
    lines = []
    for name, result in results.drift.items():
        summary = result["summary"]
        drifted = sum(column["drifted"] for column in summary["columns"].values())
        said = "which counts as drift" if summary["drift"] else "which does not count as drift"
        auc = summary["statistics"]["auc"]
        lines.append(
            (
                name,
                f"{drifted} of {len(summary['columns'])} statistics drifted, {said}. A classifier that is to tell its "
                f"faces from native ones by them has an AUC of {auc:.2f}: {_auc_reading(auc)}.",
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
