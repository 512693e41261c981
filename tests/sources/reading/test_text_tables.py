import pyarrow as pa
import pytest

from lrfr.errors import SourceError
from lrfr.sources.reading.text_tables import read_columns, read_named_columns
from tests.sources.layouts import put

COLUMNS = {"name": pa.string(), "number": pa.int8()}


def test_the_first_columns_are_read_and_further_ones_passed_over(tmp_path):
    put(tmp_path / "list.csv", '"a,1,x\nNA,2,y\n')
    table = read_columns(tmp_path / "list.csv", COLUMNS, ",")
    assert table.to_pydict() == {"name": ['"a', "NA"], "number": [1, 2]}


def test_names_that_look_like_numbers_stay_text(tmp_path):
    put(tmp_path / "list.txt", "007 1\r\n8 2\r\n")
    assert read_columns(tmp_path / "list.txt", COLUMNS, " ")["name"].to_pylist() == ["007", "8"]


@pytest.mark.parametrize("text", ["", "a\n", "a 1\nb\n", "a x\n", "a 1000\n", "a \n"])
def test_a_line_that_does_not_fit_names_the_file(tmp_path, text):
    put(tmp_path / "list.txt", text)
    with pytest.raises(SourceError, match=r"list\.txt"):
        read_columns(tmp_path / "list.txt", COLUMNS, " ")


NAMED = {"template": "TEMPLATE_ID", "identity": "SUBJECT_ID"}
ROWS = {"template": ["1", "2"], "identity": ["11", "ann"]}


@pytest.mark.parametrize(
    "text",
    [
        "TEMPLATE_ID,SUBJECT_ID\n1,11\n2,ann\n",
        "SUBJECT_ID,TEMPLATE_ID\n11,1\nann,2\n",
        "\ufefffilename, subject_id,x,Template_Id\r\na.png,11.0,?,1.0\r\nb.png, ann,?,2\r\n",
    ],
)
def test_columns_go_by_their_names(tmp_path, text):
    put(tmp_path / "list.csv", text)
    assert read_named_columns(tmp_path / "list.csv", NAMED, ",").to_pydict() == ROWS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "does not name the columns TEMPLATE_ID, SUBJECT_ID"),
        ("1,11\n2,ann\n", "does not name the columns"),
        ("TEMPLATE_ID,WHO\n1,11\n", "does not name the columns"),
        ("TEMPLATE_ID,SUBJECT_ID,SUBJECT_ID\n1,11,12\n", "does not name the columns"),
        ("TEMPLATE_ID,SUBJECT_ID\n1,\n", "a line has no identity"),
        ("TEMPLATE_ID,SUBJECT_ID\n1,nan\n", "the identity 'nan' is what programs write"),
    ],
)
def test_a_first_line_without_these_names_is_no_data_that_is_lost(tmp_path, text, message):
    put(tmp_path / "list.csv", text)
    with pytest.raises(SourceError, match=message):
        read_named_columns(tmp_path / "list.csv", NAMED, ",")


def test_text_in_no_known_encoding(tmp_path):
    put(tmp_path / "list.txt", b"\xff\xfe 1\n")
    with pytest.raises(SourceError, match="does not fit"):
        read_columns(tmp_path / "list.txt", COLUMNS, " ")
