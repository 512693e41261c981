import pytest

from lrfr.errors import ParameterError
from lrfr.sources import source


@pytest.mark.parametrize("name", ["lfv", "acquired", "labellers", "no.such", ""])
def test_an_unknown_source_lists_the_known_ones(name):
    with pytest.raises(ParameterError, match=f"unknown source '{name}'") as error:
        source(name)
    known = str(error.value).rpartition("known: ")[2].split(", ")
    assert "lfw" in known
    assert not {"acquired", "labellers"} & set(known)


def test_a_source_says_what_it_expects():
    assert "<Name>" in source("lfw").LAYOUT
