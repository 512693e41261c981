"""``python -m lrfr`` is ``lrfr``."""

from lrfr.cli import app

app(prog_name="lrfr")
