"""Live curves of a training, by DVCLive: a folder to look into while it runs, and no part of any result.

Neither git nor DVC nor DVC Studio is asked or told anything.
"""

import csv
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lrfr.faces import encode_png
from lrfr.files import atomic_path

SECONDS_BETWEEN_LINES = 1.0
SHEETS = "sheets"


class LiveCurves:
    """Writes ``plots/metrics/<name>.tsv`` (step, value), the latest values, ``metrics.json``, and pictures.

    A curve that cannot be written, on a full disk for instance, is given up with a warning: it must not cost the
    training.

    Args:
        folder: where they go; curves of another training there are removed.
        step: updates made already. Above 0 the curves up to it are kept, and continued.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self._live: Any = None
        self._folder = folder
        self._step, self._written = step, time.monotonic()
        try:
            _forget_after(folder, step)
            self._live = _live(folder, resume=step > 0)
        except Exception as error:
            self._give_up(error)

    def update(self, step: int, values: Mapping[str, float]) -> None:
        """Shows one update's values, and the rate of updates; once a second at most."""
        now = time.monotonic()
        if now - self._written >= SECONDS_BETWEEN_LINES:
            self.show(step, {**values, "updates_per_second": (step - self._step) / (now - self._written)})
            self._step, self._written = step, now

    def show(self, step: int, values: Mapping[str, float]) -> None:
        """Shows values, such as those of an epoch."""
        if self._live is None:
            return
        try:
            self._live.step = step
            for name, value in values.items():
                self._live.log_metric(name, value)
            self._live.make_summary()
        except Exception as error:
            self._give_up(error)

    def picture(self, step: int, image: np.ndarray) -> None:
        """Keeps a picture, RGB (H, W, 3), uint8, of what is made after ``step`` updates: ``sheets/STEP.png``."""
        try:
            with atomic_path(self._folder / SHEETS / f"{step:08}.png") as temporary:
                temporary.write_bytes(encode_png(image))
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._live = None
        warnings.warn(f"no live curves, the training goes on without: {error}", stacklevel=2)


def _live(folder: Path, resume: bool) -> Any:
    from dvclive import Live

    class Offline(Live):
        """DVCLive has no switch for it: in a folder without a DVC repository it would even make one."""

        def _init_dvc(self) -> None:
            self._dvc_file = "dvc.yaml"

        def _init_studio(self) -> None:
            self._studio_events_to_skip = {"start", "data", "done"}

    return Offline(str(folder), resume=resume, save_dvc_exp=False, dvcyaml=False)


def _forget_after(folder: Path, step: int) -> None:
    """Drops what was shown of updates after ``step``: those that were not saved are made, and shown, again."""
    for sheet in (folder / SHEETS).glob("*.png"):
        if int(sheet.stem) > step:
            sheet.unlink()
    for file in (folder / "plots" / "metrics").rglob("*.tsv"):
        with file.open(encoding="utf-8", newline="") as lines:
            header, *rows = csv.reader(lines, delimiter="\t")
        kept = [row for row in rows if int(row[0]) <= step]
        with file.open("w", encoding="utf-8", newline="") as lines:
            csv.writer(lines, delimiter="\t", lineterminator="\n").writerows([header, *kept])
