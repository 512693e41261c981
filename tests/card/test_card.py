"""Words of the card that must keep up with what other modules know."""

from hypothesis import given
from hypothesis import strategies as st

from lrfr.card import croissant, labelling
from lrfr.core.curation import REASONS
from lrfr.faces import FACE_SCHEMA
from lrfr.pages import plain


def test_every_reason_is_explained_in_the_order_of_the_rules():
    assert tuple(labelling.MEANING) == REASONS


def test_every_column_of_a_face_table_is_described():
    assert [*croissant.FIELDS, "attributes"] == FACE_SCHEMA.names


@given(st.text())
def test_plain_text_stays_one_cell_of_a_table(text):
    cell = plain(text)
    assert "\n" not in cell and not cell.replace("\\\\", "").replace("\\|", "").count("|")
