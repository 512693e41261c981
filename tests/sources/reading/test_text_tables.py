import pyarrow as pa
import pytest

from lrfr.errors import SourceError
from lrfr.sources.reading.text_tables import read_columns
from tests.sources.layouts import put

COLUMNS = {"name": pa.string(), "number": pa.int8()}


def test_the_first_columns_are_read_and_further_ones_passed_over(tmp_path):
    put(tmp_path / "list.csv", 'Name,Number,Other\n"a,1,x\nNA,2,y\n')
    table = read_columns(tmp_path / "list.csv", COLUMNS, ",", header=True)
    assert table.to_pydict() == {"name": ['"a', "NA"], "number": [1, 2]}


def test_names_that_look_like_numbers_stay_text(tmp_path):
    put(tmp_path / "list.txt", "007 1\r\n8 2\r\n")
    assert read_columns(tmp_path / "list.txt", COLUMNS, " ")["name"].to_pylist() == ["007", "8"]


@pytest.mark.parametrize("text", ["", "a\n", "a 1\nb\n", "a x\n", "a 1000\n", "a \n"])
def test_a_line_that_does_not_fit_names_the_file(tmp_path, text):
    put(tmp_path / "list.txt", text)
    with pytest.raises(SourceError, match=r"list\.txt"):
        read_columns(tmp_path / "list.txt", COLUMNS, " ")


def test_text_in_no_known_encoding(tmp_path):
    put(tmp_path / "list.txt", b"\xff\xfe 1\n")
    with pytest.raises(SourceError, match="does not fit"):
        read_columns(tmp_path / "list.txt", COLUMNS, " ")
