"""Gold faces: their list, those that adjudicators settle, and where they stand in a queue."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrfr.core.gold import Gold, parse, planted, settled
from lrfr.core.verdicts import Verdict
from lrfr.errors import VerdictError

AT = datetime(2024, 5, 1, tzinfo=UTC)


def test_the_list_is_read():
    assert parse(b"\xef\xbb\xbfface_id,verdict\r\nf1,face\r\n\r\nf2,not_face\r\n", "gold.csv") == {
        "f1": Gold("face"),
        "f2": Gold("not_face"),
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "another header(.|\n)*gold.csv:1"),
        (b"face,verdict\n", "another header"),
        (b"face_id,verdict\nf1,unsure\n", "'f1,unsure' is no gold face(.|\n)*gold.csv:2"),
        (b"face_id,verdict\nf1,face,anna\n", "is no gold face"),
        (b"face_id,verdict\nf1,face\nf1,face\n", "f1 stands twice(.|\n)*gold.csv:3"),
        (b"face_id,verdict\n\xff,face\n", "not CSV in UTF-8"),
    ],
)
def test_a_line_that_cannot_be_right_is_named(content, message):
    with pytest.raises(VerdictError, match=message):
        parse(content, "gold.csv")


def test_the_adjudicators_last_word_is_gold_from_then_on():
    def said(face, verdict, hour, manifest="_adjudicated"):
        return Verdict(face, verdict, "eva", AT.replace(hour=hour), "", manifest, 2)

    lines = [said("f1", "face", 2), said("f1", "not_face", 1), said("f2", "face", 1), said("f2", "unsure", 2)]
    assert settled([*lines, said("f3", "face", 1, "eva")]) == {"f1": Gold("face", AT.replace(hour=2))}


@given(st.integers(0, 200), st.sets(st.integers(0, 220)))
def test_gold_faces_are_spread_evenly_and_the_others_keep_their_order(count, gold):
    faces = [f"face{n}" for n in range(count)]
    order = planted(faces, {f"face{n}" for n in gold})
    assert sorted(order) == list(range(count))
    assert [row for row in order if row not in gold] == [row for row in range(count) if row not in gold]
    known = sum(row in gold for row in order)
    for part in range(known):
        start, end = part * count // known, (part + 1) * count // known
        assert sum(row in gold for row in order[start:end]) == 1
    assert planted(faces, {f"face{n}" for n in gold}) == order


def test_their_places_tell_nothing():
    """Neither the same place in every part, nor the clear ones first."""
    faces = [f"face{n:04d}" for n in range(2000)]
    order = planted(faces, faces[:100])
    places = [place for place, row in enumerate(order) if row < 100]
    assert len({place % 20 for place in places}) > 12
    first = [row for row in order[:1000] if row < 100]
    assert 30 < sum(first) / len(first) < 70
