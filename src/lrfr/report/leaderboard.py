"""The leaderboard: what each run reached on the benchmark, what it learnt from and how long, and what that shows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrfr.report.blocks import Cell
from lrfr.report.chance import Chance
from lrfr.report.results import BENCHMARK, HEADLINES, PARTS, UNTRAINED, Results, Run
from lrfr.report.wording import METRICS, presented

NO_TRAINING = ("random", "pretrained")  # methods that train nothing after what they start from
Budget = tuple[tuple[str, int, float], ...]  # collection, faces, passes over them


@dataclass(frozen=True)
class Entry:
    """A line of the leaderboard: five cells with distractors, then five without.

    Attributes:
        label: the run's name.
        style: its class of the style sheet.
        note: its method and how faces are presented to it.
        learnt: what it learnt from, and how long.
        cells: the figures, in the order of ``HEADLINES``.
    """

    label: str
    style: str
    note: str
    learnt: str
    cells: list[Cell]


def entries(results: Results, chance: Chance, styles: Mapping[str, str]) -> list[Entry]:
    """Every run, best rank-1 with distractors first, and a random ranking as the last line."""
    figures, metrics = results.sets[BENCHMARK].figures, {run.metric for run in results.runs.values()}
    lines = []
    for name in results.by_rank1():
        run = results.runs[name]
        compared = [METRICS[run.metric]] if len(metrics) > 1 else []
        note = ", ".join([run.method, presented(run.presentation), *compared])
        lines.append(Entry(name, styles[name], note, learnt(run), _cells(figures[name])))
    return [*lines, Entry("chance", "chance", "a random ranking, expected", "", _chance_cells(chance))]


def learnt(run: Run) -> str:
    """What a run learnt from and how long, in words."""
    if not run.trained:
        return "nothing: untrained weights" if run.method == UNTRAINED else "nothing here: weights as they came"
    steps = []
    for step in run.trained:
        seen = [(round(passes, 1), step["faces"][name], name) for name, passes in step["passes"].items()]
        steps.append(" and ".join(f"{passes:g} over {faces:,} {name}" for passes, faces, name in seen))
    count, _, rest = "; then ".join(steps).partition(" over ")
    first, *others = rest.split("; ", 1)
    first = f"{count} {'pass' if count == '1' else 'passes'} over {first} faces"
    updates = sum(step["updates"] for step in run.trained)
    return "; ".join([first, *others, f"{updates:,} updates{_of_part(run.trained[-1].get('weights'))}"])


def _of_part(weights: Mapping[str, Any] | None) -> str:
    """Which of the backbone's weights the last training changed, where that were not all."""
    if weights is None:
        return ""
    if weights["name"] == "lora":
        return f", at last of low-rank adapters (rank {weights['rank']}) beside frozen weights"
    count = weights["stages"]
    return f", at last of the backbone's last {f'{count} stages' if count > 1 else 'stage'} alone"


def budgets(results: Results) -> str:
    """Whether the runs that were fine-tuned made the same passes over the same faces, as a sentence; empty where there
    are not two to compare."""
    spent = {name: _budget(run.trained) for name, run in results.runs.items() if run.method not in NO_TRAINING}
    if len(spent) < 2:
        return ""
    usual, count = Counter(spent.values()).most_common(1)[0]
    if count == len(spent):
        return f"Equal budgets: {_listed(list(spent))} made the same passes over the same faces."
    if count == 1:
        return "Budgets differ: no two runs made the same passes over the same faces."
    alike = [name for name, budget in spent.items() if budget == usual]
    others = [name for name in spent if name not in alike]
    return f"Budgets differ: {_listed(alike)} made the same passes over the same faces, {_listed(others)} did not."


def verdict(results: Results, chance: Chance) -> list[str]:
    """One or two sentences on what the runs show: the best trained one against untrained weights and chance."""
    figures = {name: of["distractors"] for name, of in results.sets[BENCHMARK].figures.items()}
    best = next((name for name in results.by_rank1() if results.runs[name].method != UNTRAINED), None)
    if best is None:
        return ["No run was trained: the figures below are the floor alone."]
    by_chance = _percent(float(chance.cmc("distractors", np.array([1]))[0]))
    first = (
        f"The best run, {best}, ranks the right person first for {_said(figures[best])} of {len(chance.mates):,} "
        f"probes among {chance.galleries['distractors']:,} gallery faces; a random ranking would for {by_chance}."
    )
    untrained = results.floor()
    if untrained is None:
        return [first]
    floor = figures[untrained]
    second = f"Untrained weights do so for {_said(floor)}"
    if figures[best]["rank1_interval"][0] <= floor["rank1_interval"][1]:
        return [first, f"{second}: the intervals meet, so these runs show no gain by training."]
    multiplied = (
        f"training multiplies rank-1 by {figures[best]['rank1'] / floor['rank1']:.1f}" if floor["rank1"] else ""
    )
    return [first, ", and ".join(filter(None, [f"{second}; the intervals do not meet", multiplied])) + "."]


def _budget(trained: Sequence[Mapping[str, Any]]) -> Budget:
    """The passes over each collection, all steps together; a step that saw a part of the faces counts by that part."""
    faces: dict[str, int] = {}
    looks: dict[str, float] = {}
    for step in trained:
        for name, count in step["faces"].items():
            faces[name] = max(faces.get(name, 0), count)
            looks[name] = looks.get(name, 0.0) + count * step["passes"][name]
    return tuple((name, faces[name], round(looks[name] / faces[name], 1)) for name in sorted(faces) if faces[name])


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _cells(figures: dict[str, dict[str, Any]]) -> list[Cell]:
    return [_cell(figures[part], name) for part in PARTS for name in HEADLINES]


def _cell(figures: dict[str, Any], name: str) -> Cell:
    interval = [f"{100 * end:.1f}" for end in figures[f"{name}_interval"] or ()]
    return Cell(f"{100 * figures[name]:.1f}", "–".join(interval))


def _chance_cells(chance: Chance) -> list[Cell]:
    cells = []
    for part in PARTS:
        ranks = np.minimum([1, 20, 50], chance.galleries[part])
        expected = [*chance.cmc(part, ranks), chance.mean_average_precision(part)]
        cells += [*(Cell(f"{100 * share:.1f}") for share in expected), Cell("–")]
    return cells


def _said(figures: dict[str, Any]) -> str:
    low, high = figures["rank1_interval"]
    return f"{_percent(figures['rank1'])} (95\u00a0% interval {100 * low:.1f}–{100 * high:.1f})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}\u00a0%"
