"""Training curves: one row per epoch."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from lrfr.files import write_csv

Curves = list[dict[str, float]]


class Means:
    """The means of an epoch's loss terms, over the updates that had them."""

    def __init__(self) -> None:
        self._sums: dict[str, list[float]] = {}  # sum and count, by name

    def add(self, values: Mapping[str, float]) -> None:
        """Takes in the loss terms of one update, or of one optimiser in it."""
        for name, value in values.items():
            total, count = self._sums.get(name, (0.0, 0))
            self._sums[name] = [total + value, count + 1]

    def take(self) -> dict[str, float]:
        """The means, and a new beginning."""
        sums, self._sums = self._sums, {}
        return {name: total / count for name, (total, count) in sums.items()}

    def state_dict(self) -> dict[str, list[float]]:
        """What has to be kept to go on later."""
        return self._sums

    def load_state_dict(self, state: dict[str, list[float]]) -> None:
        """Goes on from what was kept."""
        self._sums = state


def one_after_the_other(trainings: Sequence[Curves]) -> Curves:
    """The curves of trainings that followed each other as those of one, whose updates are counted through."""
    rows: Curves = []
    for curves in trainings:
        before = rows[-1]["step"] if rows else 0
        rows += [row | {"step": row["step"] + before} for row in curves]
    return rows


def write_curves(path: Path, curves: Curves) -> None:
    """Writes one line per epoch: step, learning_rate, loss terms, validation losses. Untrained: the header alone.

    A term that a row does not have is left blank.
    """
    columns = list(dict.fromkeys(name for row in curves for name in row)) or ["step", "learning_rate"]
    write_csv(path, columns, ([row.get(name) for name in columns] for row in curves))
