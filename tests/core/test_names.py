"""Names that people gave, and verdicts on pairs: which line counts, and what several labellers come to."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrfr.core import names, pair_verdicts
from lrfr.core.manifest_lines import ADJUDICATED, TORN
from lrfr.core.names import Name
from lrfr.core.pair_verdicts import PairVerdict
from lrfr.errors import VerdictError

START = datetime(2024, 5, 1, tzinfo=UTC)


def name(face, identity, labeller="anna", minutes=0, manifest=None, note=""):
    at = START + timedelta(minutes=minutes)
    return Name(face, identity, labeller, at, note, manifest or labeller, minutes)


def pair(first, second, verdict, labeller="anna", minutes=0, manifest=None, note=""):
    at = START + timedelta(minutes=minutes)
    return PairVerdict(first, second, verdict, labeller, at, note, manifest or labeller, minutes)


def test_the_latest_name_of_a_labeller_counts_and_one_taken_back_does_not():
    lines = [name("a", "Mary"), name("b", "Ada"), name("a", "Marie", minutes=1), name("b", "", minutes=2)]
    assert names.resolve(lines) == names.resolve(reversed(lines)) == {"a": "Marie"}


def test_labellers_that_disagree_name_nobody_until_an_adjudicator_does():
    lines = [name("a", "Mary"), name("a", "Ada", "boris"), name("b", "Ada"), name("b", "Ada", "boris")]
    assert names.resolve(lines) == {"a": None, "b": "Ada"}
    settled = [*lines, name("a", "Mary", "eva", 5, ADJUDICATED)]
    assert names.resolve(settled) == {"a": "Mary", "b": "Ada"}
    assert names.resolve([*settled, name("a", "", "eva", 6, ADJUDICATED)]) == {"a": None, "b": "Ada"}


def test_what_looks_alike_is_one_name():
    assert names.resolve([name("a", "Ju\u0308rgen  K "), name("a", "J\u00fcrgen K", "boris")]) == {"a": "J\u00fcrgen K"}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.text(max_size=20), st.text(max_size=9)), max_size=8))
def test_what_was_written_is_read_again(said):
    lines = [name(face, identity, minutes=place + 2, note=note.replace("\r", "")) for place, (face, identity, note) in
             enumerate(said)]  # fmt: skip
    plain = [line for line in lines if all("\n" not in text and "\r" not in text and "\0" not in text
                                           for text in (line.identity, line.note))]  # fmt: skip
    read = names.KIND.parse(names.KIND.render(plain), "anna", "anna.csv")
    assert [(line.about, line.says, line.note) for line in read] == [
        (line.about, line.says, line.note) for line in plain
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("f1,Mary,anna,yesterday,", "'yesterday' is no time"),
        (",Mary,anna,2024-05-01,", "names no face"),
        (f"f1,{'x' * 101},anna,2024-05-01,", "101 characters"),
        ("f1,Mary", "wrong number of fields"),
    ],
)
def test_a_line_that_cannot_be_right_is_named(line, message):
    with pytest.raises(VerdictError, match=message) as error:
        names.KIND.parse(f"{names.KIND.header}{line}\n", "anna", "anna.csv")
    assert "anna.csv:2" in str(error.value)


def test_a_torn_line_is_passed_over():
    text = names.KIND.render([name("a", "Mary")]) + f"b,Ma{TORN}\n"
    assert [line.face_id for line in names.KIND.parse(text, "anna", "")] == ["a"]


def test_a_pair_has_no_order():
    lines = [pair("a", "b", "copy"), pair("b", "a", "different", minutes=1), pair("c", "d", "unsure")]
    assert pair_verdicts.resolve(lines) == {("a", "b"): "different", ("c", "d"): "unsure"}
    assert pair_verdicts.resolve([*lines, pair("a", "b", "copy", "boris")])["a", "b"] is None


@pytest.mark.parametrize(
    "line", ["a,b,maybe,anna,2024-05-01,", "a,a,copy,anna,2024-05-01,", "a,,copy,anna,2024-05-01,"]
)
def test_what_is_no_verdict_on_a_pair_is_refused(line):
    with pytest.raises(VerdictError, match=r"anna.csv:2"):
        pair_verdicts.KIND.parse(f"{pair_verdicts.KIND.header}{line}\n", "anna", "anna.csv")
