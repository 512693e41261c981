import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrfr.core.normal_names import normal_name


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("Jose\u0301", "Jos\u00e9"),
        (" Ann ", "Ann"),
        ("\ufeffAnn", "Ann"),
        (11, "11"),
        (11.0, "11"),
        (np.float32(11), "11"),
        (np.uint16(11), "11"),
        ("11", "11"),
        ("11.0", "11"),
        ("-1.00", "-1"),
        ("-0.0", "0"),
        (2**60 + 1, str(2**60 + 1)),
        ("007", "007"),  # a name: whole numbers have no zeros before them
        ("007.0", "007.0"),
        ("11.5", "11.5"),
        ("1e3", "1e3"),
        ("Nan", "Nan"),  # a person
        ("", None),
        (" ", None),
        (None, None),
    ],
)
def test_a_name_has_one_form(value, name):
    assert normal_name(value) == name


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 1.5, np.float64("nan"), True, np.bool_(True), b"Ann", ["Ann"], {}]
)
def test_what_is_neither_text_nor_a_whole_number_is_no_name(value):
    with pytest.raises(ValueError, match="is no name: a name is text or a whole number"):
        normal_name(value)


@pytest.mark.parametrize("value", ["nan", "NaN", "None", "<NA>", "a\tb", "a\0b", "\ud800"])
def test_text_that_stands_for_no_name_is_none(value):
    with pytest.raises(ValueError, match=r"missing|control characters"):
        normal_name(value)


@given(st.text())
def test_the_form_of_a_form_is_itself_and_does_not_depend_on_composition(text):
    try:
        name = normal_name(text)
    except ValueError:
        return
    assert normal_name(name) == name
    assert name == normal_name(unicodedata.normalize("NFD", text))
