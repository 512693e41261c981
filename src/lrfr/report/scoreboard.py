"""The report's section on the gap between native and synthetic LR: which synthesiser is closest, by what, how it looks,
and whether the closest was the best to train on."""

import json
from collections import defaultdict
from typing import Any

from lrfr import paths
from lrfr.closest import CLOSEST
from lrfr.report.blocks import Cell, Note, Row, Section, Sheet, Table
from lrfr.report.numbers import interval, percent
from lrfr.report.results import BENCHMARK, Results
from lrfr.report.sheets import Row as SheetRow
from lrfr.report.sheets import faces_of

MEASURES = {"mmd": "MMD²", "frechet": "Fréchet distance", "auc": "AUC of a classifier"}
SAID = {"mmd": "MMD", "frechet": "the Fréchet distance", "auc": "the classifier's AUC"}
GATES = {
    "pass": "",
    "warn": " That is above the threshold from which the parameters ask for a warning: such faces may teach what "
    "native ones do not have.",
    "stop": " That is above the threshold from which the parameters stop the pipeline.",
}


def section(results: Results) -> Section:
    """The scoreboard, the most telling faces, and what became of the runs that differ by their synthesiser alone."""
    board = results.scoreboard
    lead = f"{_closest(board)}{GATES[board['gate']]}"
    notes = [Note(sentence) for sentence in best_to_train_on(results)]
    return Section("synthesizers", "Native and synthetic LR", lead, [_table(results), *notes, *_sheets(results)])


def _closest(board: dict[str, Any]) -> str:
    """Which synthesiser is closest, whether the measures agree, and whether another one may be as close."""
    closest, others = board["closest"], {}
    for measure, said in SAID.items():
        if (name := board["first_by"][measure]) != closest:
            others.setdefault(name, []).append(said)
    told = f"Of the synthesizers, {closest} makes faces closest to native ones, by the MMD of embeddings"
    if len(board["ranking"]) == 1:
        told = f"There is one synthesizer, {closest}"
    elif others:
        told += "; " + "; ".join(f"by {' and '.join(by)} it is {name}" for name, by in others.items())
    else:
        told += ", and by the other measures too"
    if board["tied"]:
        told += f". {' and '.join(board['tied'])} may be as close: the intervals meet"
    auc = board["embeddings"][closest]["auc"]
    return f"{told}. A classifier of embeddings tells its faces from native ones with an AUC of {auc:.2f}."


def _table(results: Results) -> Table:
    """A line for each synthesiser, the closest first."""
    board = results.scoreboard
    rows = []
    for name in board["ranking"]:
        summary = results.drift[name]["summary"]
        found, by_statistics = summary["embeddings"], summary["statistics"]
        columns = summary["columns"]
        by_distance = sorted(columns, key=lambda column: -columns[column]["distance"])
        drifted = [column for column in by_distance if columns[column]["drifted"]]
        cells = [
            Cell(f"{found['mmd']:.4f}", _interval(found["mmd_interval"], 4)),
            Cell(f"{found['frechet']:.3f}", _interval(found["frechet_interval"], 3)),
            Cell(f"{found['auc']:.3f}", _interval(found["auc_interval"], 3)),
            Cell(f"{by_statistics['auc']:.3f}", _interval(by_statistics["auc_interval"], 3)),
            Cell(f"{len(drifted)} of {len(columns)}"),
        ]
        note = "closest" if name == board["closest"] else ""
        rows.append(Row(name, "", cells, _farthest(drifted, note)))
    caption = (
        f"The gap to native training faces, smaller is closer: by embeddings of the backbone {board['backbone']}, and "
        "by statistics of the pictures. 95 % bootstrap intervals below. An AUC of 0.5 is guessing."
    )
    groups = [("By embeddings", 3), ("By statistics", 2)]
    return Table(caption, groups, [*MEASURES.values(), MEASURES["auc"], "Drifted"], rows, "Synthesizer")


def _farthest(drifted: list[str], note: str) -> str:
    """Which statistics drifted most."""
    most = ", ".join(name.replace("_", " ") for name in drifted[:3])
    return "; ".join(part for part in (note, f"differs most in {most}" if most else "") if part)


def _interval(ends: list[float], digits: int) -> str:
    low, high = (f"{end:.{digits}f}".replace("-", "\u2212") for end in ends)
    return interval(low, high) if "\u2212" not in low + high else f"{low} to {high}"


def _sheets(results: Results) -> list[Sheet]:
    """The faces that tell native from synthetic best."""
    rows, count = [], 0
    for name in results.scoreboard["ranking"]:
        telling = results.drift[name]["summary"]["telling"]
        for label, path, ids in (
            (f"native, unlike {name}", paths.BENCHMARK, telling["native"]),
            (f"{name}, unlike native", paths.synthetic(name), telling["synthetic"]),
        ):
            shown = faces_of(path, ids, f"face, {label}")
            rows.append(SheetRow(label, shown))
            count = max(count, len(shown))
    if not count:
        return []
    caption = (
        "The faces that the classifier of embeddings is surest about when it has learnt from others, the surest first: "
        "native ones that no such synthetic face is like, and synthetic ones that give themselves away."
    )
    return [Sheet("The most telling faces", caption, [str(place) for place in range(1, count + 1)], rows, "Faces")]


def best_to_train_on(results: Results) -> list[str]:
    """A sentence for each group of runs that differ by their synthesiser alone: whether the closest was the best."""
    groups: dict[str, dict[str, str]] = defaultdict(dict)
    for name in results.runs:
        alike, synthesizer = without_synthesizer(results.params.methods[name], results.scoreboard["closest"])
        if synthesizer in results.drift:
            groups[alike].setdefault(synthesizer, name)
    return [_compared(runs, results) for runs in groups.values() if len(runs) > 1]


def _compared(runs: dict[str, str], results: Results) -> str:
    figures = results.sets[BENCHMARK].figures
    rank1 = {synthesizer: figures[run]["distractors"]["rank1"] for synthesizer, run in runs.items()}
    closest = next(name for name in results.scoreboard["ranking"] if name in runs)
    best = max(rank1, key=lambda name: (rank1[name], name == closest))
    ordered = sorted(rank1, key=lambda name: (-rank1[name], name))
    reached = ", ".join(f"{name} {percent(rank1[name])} % ({runs[name]})" for name in ordered)
    said = (
        f"The closest, {closest}, was also the best to train on"
        if best == closest
        else f"The closest, {closest}, was not the best to train on: {best} was"
    )
    ends = [figures[runs[name]]["distractors"]["rank1_interval"] for name in (closest, best)]
    unsure = "" if best == closest or ends[0][1] < ends[1][0] else " Their intervals meet."
    return f"Runs that differ by their synthesizer alone, by rank-1 with distractors: {reached}. {said}.{unsure}"


def without_synthesizer(values: dict[str, Any], closest: str) -> tuple[str, str | None]:
    """A run's settings as text without its synthesiser and that one's settings, and the synthesiser's name; None where
    it has none, or several."""
    found: set[str] = set()

    def stripped(section: Any) -> Any:
        if not isinstance(section, dict):
            return section
        if "synthesizer" not in section:
            return {key: stripped(part) for key, part in section.items()}
        name = section["synthesizer"]
        found.add(closest if name == CLOSEST else name)
        return {key: stripped(part) for key, part in section.items() if key not in ("synthesizer", "settings")}

    alike = json.dumps(stripped(values), sort_keys=True, default=str)
    return alike, found.pop() if len(found) == 1 else None
