"""Training curves on disk."""

import csv
import io
from pathlib import Path

from lrfr.files import write_text
from lrfr.nn.training import Curves


def write_curves(path: Path, curves: Curves) -> None:
    """Writes one line per epoch: step, learning_rate, loss terms, validation losses. Untrained: the header alone."""
    columns = list(dict.fromkeys(name for row in curves for name in row)) or ["step", "learning_rate"]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: round(value, 6) for name, value in row.items()} for row in curves)
    write_text(path, text.getvalue())
