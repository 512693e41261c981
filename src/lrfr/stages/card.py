"""card: what the benchmark is, for people as a data card and for machines as Croissant metadata."""

from lrfr import paths
from lrfr.card import croissant, page
from lrfr.card.facts import read_facts
from lrfr.config import read_params
from lrfr.files import write_json, write_text


def run() -> None:
    """Writes reports/data_card.html, reports/data_card.md and reports/croissant.json.

    Raises:
        FaceTableError, ResultError: a table or a result of an earlier stage is missing or cannot be read, or the data
            did not meet its expectations.
        VerdictError: a manifest has a line that cannot be right.
        ParameterError: the card speaks of generated people, and there are others.
    """
    facts = read_facts(read_params())
    write_text(paths.DATA_CARD, page.html(facts))
    write_text(paths.DATA_CARD_TEXT, page.markdown(facts))
    write_json(paths.CROISSANT, croissant.describe(facts))
