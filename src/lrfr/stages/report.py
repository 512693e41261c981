"""report: everything that the run measured, as one page that opens from disk."""

from lrfr import paths
from lrfr.config import read_params
from lrfr.files import write_text
from lrfr.report.page import render
from lrfr.report.results import read_results


def run() -> None:
    """Writes reports/index.html.

    Raises:
        ResultError: a result of an earlier stage is missing or unreadable.
        FaceTableError, ImageError: a face table is missing or cannot be read.
    """
    write_text(paths.REPORT, render(read_results(read_params())))
