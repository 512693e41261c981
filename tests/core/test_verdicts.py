from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrfr.core.verdicts import COLUMNS, TORN, VERDICTS, Outcome, Verdict, parse, render, resolve
from lrfr.errors import VerdictError

HEADER = ",".join(COLUMNS)
START = datetime(2024, 5, 1, tzinfo=UTC)


def said(
    verdict: str, labeller: str = "anna", minute: int = 0, line: int = 2, manifest: str | None = None, face: str = "f"
):
    return Verdict(face, verdict, labeller, START + timedelta(minutes=minute), "", manifest or labeller, line)


verdicts = st.lists(
    st.builds(
        said,
        verdict=st.sampled_from(VERDICTS),
        labeller=st.sampled_from(["anna", "boris"]),
        minute=st.integers(0, 2),
        line=st.integers(2, 30),
        manifest=st.sampled_from(["anna", "boris", "_adjudicated"]),
        face=st.sampled_from("fg"),
    ),
    max_size=8,
    unique_by=lambda verdict: (verdict.manifest, verdict.line),
)


@given(verdicts, st.randoms())
def test_the_order_in_which_lines_are_read_does_not_matter(lines, random):
    shuffled = random.sample(lines, len(lines))
    assert resolve(shuffled) == resolve(lines)


@given(verdicts)
def test_a_manifest_survives_writing_and_reading(lines):
    again = parse(render(lines), "anna", "anna.csv")
    assert [(v.face_id, v.verdict, v.labeller, v.at) for v in again] == [
        (v.face_id, v.verdict, v.labeller, v.at) for v in lines
    ]


@pytest.mark.parametrize(
    ("lines", "outcome"),
    [
        ([said("face")], Outcome("face", False)),
        ([said("unsure")], Outcome(None, False)),
        ([said("face"), said("face", "boris")], Outcome("face", False)),
        ([said("face"), said("not_face", "boris")], Outcome(None, False)),
        ([said("face"), said("unsure", "boris")], Outcome(None, False)),
        ([said("not_face"), said("face", minute=1, line=1)], Outcome("face", False)),
        ([said("not_face"), said("face", line=3)], Outcome("face", False)),
        (
            [said("face"), said("not_face", "boris"), said("unrecognizable", "expert", manifest="_adjudicated")],
            Outcome("unrecognizable", True),
        ),
        ([said("face"), said("unsure", "expert", manifest="_adjudicated")], Outcome(None, False)),
    ],
)
def test_what_verdicts_come_to(lines, outcome):
    assert resolve(lines) == {"f": outcome}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEADER}\nf,face,anna,2024-05-01T09:30:00,\nf,maybe,anna,2024-05-01,\n", "unknown verdict 'maybe'"),
        (f"{HEADER}\nf,face,anna,2024-05-01T09:30:00,\nf,face,anna,yesterday,\n", "'yesterday' is no time"),
        (f"{HEADER}\nf,face,anna,2024-05-01T09:30:00,\nf,face,an", "wrong number of fields"),
        (f"{HEADER}\nf,face,anna,2024-05-01,\n<<<<<<< HEAD\n", "wrong number of fields"),
        (f"{HEADER}\nf,face,anna,2024-05-01,\nf,face,,2024-05-01,\n", "names no face or no labeller"),
    ],
)
def test_a_line_that_cannot_be_right_is_named(text, message):
    with pytest.raises(VerdictError, match=message) as error:
        parse(text, "anna", "verdicts/anna.csv")
    assert "verdicts/anna.csv:3" in str(error.value)


def test_a_quote_that_never_ends_is_named_in_any_line():
    for text, line in (('"face_id,verdict\n', 1), (f'{HEADER}\nf,"face,anna,2024-05-01,\n', 2)):
        with pytest.raises(VerdictError, match="not CSV") as told:
            parse(text, "anna", "anna.csv")
        assert f"anna.csv:{line}" in str(told.value)


def test_a_missing_column_is_named():
    with pytest.raises(VerdictError, match="lacks the column at, note"):
        parse("face_id,verdict,labeller\n", "anna", "anna.csv")
    with pytest.raises(VerdictError, match=r"anna\.csv:1"):
        parse("", "anna", "anna.csv")


def test_a_labeller_is_one_however_the_name_is_written():
    one, other = (f"{HEADER}\nf,face,{name},2024-05-01T09:30:00,\n" for name in ("Jos\u00e9", "Jose\u0301"))
    assert [line.labeller for text in (one, other) for line in parse(text, "x", "x.csv")] == ["Jos\u00e9"] * 2


def test_a_column_that_stands_twice_is_refused():
    with pytest.raises(VerdictError, match="two columns 'verdict'"):
        parse(f"{HEADER},verdict\nf,face,anna,2024-05-01T09:30:00,,face\n", "x", "x.csv")


def test_a_byte_order_mark_and_times_without_an_offset_are_understood():
    (verdict,) = parse(f"\ufeff{HEADER}\nf,face,anna,2024-05-01T09:30:00,\n", "anna", "anna.csv")
    assert verdict.at == datetime(2024, 5, 1, 9, 30, tzinfo=UTC)


def test_a_line_that_was_closed_as_torn_is_passed_over():
    lines = [
        "a,face,anna,2024-05-01,",
        f"b,fac{TORN}",
        f'c,face,anna,2024-05-01,"a no{TORN}',
        "d,face,anna,2024-05-01,",
    ]
    text = "\n".join([HEADER, *lines, ""])
    assert [(verdict.face_id, verdict.line) for verdict in parse(text, "anna", "")] == [("a", 2), ("d", 5)]
