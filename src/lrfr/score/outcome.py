"""What every subcommand hands back: figures, the readings behind them, and what to show."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from markupsafe import Markup

LABELS = {
    "rank1": "rank-1",
    "rank5": "rank-5",
    "rank10": "rank-10",
    "rank20": "rank-20",
    "rank50": "rank-50",
    "map": "mAP",
    "map_official": "mAP, official (trapezoidal)",
    "tpir": "TPIR at FPIR {}",
    "fnir": "FNIR at FPIR {}",
    "tar": "TAR at FAR {}",
    "auc": "AUC",
    "eer": "EER",
    "accuracy": "accuracy",
    "accuracy_std": "accuracy, standard deviation over folds",
    "pauc20": "area under FNMR, to 20 % rejected",
    "pauc95": "area under FNMR, to 95 % rejected",
}
"""Figures as a table calls them, in its order; {} is the error rate."""

HEADS = ("figure", "value", "95 % interval")


@dataclass(frozen=True)
class Table:
    """A table of text, of which the first column names the rows."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Plot:
    """A curve as a drawing and as columns (K,), the horizontal axis first, NaN where it has no value."""

    name: str
    title: str
    chart: Markup
    columns: Mapping[str, np.ndarray]
    legend: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Outcome:
    """One protocol on one user's embeddings.

    Attributes:
        figures: ready for JSON; rates are fractions of 1.
        definition: which reading was used, in words, by what it defines.
        tables: to print.
        plots: draws the curves when they are wanted.
        notes: what the user should know about the input, one sentence each.
    """

    figures: dict[str, Any]
    definition: dict[str, str]
    tables: list[Table]
    plots: Callable[[], list[Plot]]
    notes: list[str] = field(default_factory=list)


def figures_table(title: str, figures: Mapping[str, Any]) -> Table:
    """The figures that have a label, with their intervals; one that is null says why."""
    why = dict(text.split(": ", 1) for text in figures.get("not_resolvable", ()))
    rows = []
    for name, label in LABELS.items():
        value, ends = figures.get(name), figures.get(f"{name}_interval")
        if isinstance(value, dict):
            rate = label.split()[-2]  # FAR or FPIR
            for key, one in value.items():
                said = why.get(f"{rate} {key}", "none")
                rows.append((label.format(key), number(one, said), interval((ends or {}).get(key))))
        elif name in figures:
            rows.append((label, number(value, "none"), interval(ends)))
    return Table(title, HEADS, rows)


def gain_table(gains: Mapping[str, Mapping[str, Any] | None]) -> Table:
    """What weighting by quality brings over images that are all alike, by the figure; those that are resolved."""
    rows = [
        (name, number(of["difference"], "none"), interval(of["difference_interval"]), f"{of['p_value']:.4g}")
        for name, of in gains.items()
        if of is not None
    ]
    return Table("By quality, less --norm unit", ("figure", "difference", "95 % interval", "p"), rows)


def number(value: float | None, otherwise: str) -> str:
    """A figure to four decimals, or what is said where there is none."""
    return otherwise if value is None else f"{value:z.4f}"


def interval(ends: Sequence[float] | None) -> str:
    """Both ends of an interval, or nothing."""
    return "" if ends is None else f"{ends[0]:z.4f} to {ends[1]:z.4f}"


def bootstrap(over: str, draws: int, seed: int) -> dict[str, str]:
    """The definition of the intervals."""
    return {"interval": f"95 %, percentile bootstrap over {over}, {draws} draws, seed {seed}" if draws else "none"}
