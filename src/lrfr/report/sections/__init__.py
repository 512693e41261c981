"""One file per protocol: what the report says of a test set that it was evaluated by.

Each module has ``section(name, results, styles) -> Section``, of the test set's name, the results, and each run's
class of the style sheet.
"""

from importlib import import_module

from lrfr.report.blocks import Section
from lrfr.report.results import Results


def section(name: str, results: Results, styles: dict[str, str]) -> Section:
    """The section of one test set."""
    return import_module(f"{__name__}.{results.sets[name].protocol}").section(name, results, styles)
