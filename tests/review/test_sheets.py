"""Which faces are asked about, and the order of the sheets."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrfr import paths
from lrfr.core.verdicts import parse
from lrfr.errors import FaceTableError, ResultError
from lrfr.faces import FACE_SCHEMA, write_faces
from lrfr.review.serve import open_session
from lrfr.review.sheets import awaiting, deal, disputed
from tests.review.conftest import FACES, rows


def table(made: list[dict]) -> pa.Table:
    return pa.Table.from_pylist(made, FACE_SCHEMA)


def test_faces_that_no_verdict_can_bring_in_are_not_asked_about(project):
    made = rows()
    made[0] |= {"width": 40}
    made[1] |= {"height": 3}
    made[2] |= {"split": "gallery"}
    write_faces(table(made), paths.DETECTED_NATIVE)
    aside = zip(made[3:], ["duplicate", "leaked", "corrupt", "not_face", "unverified", "too_large"], strict=False)
    write_faces(
        table([row | {"attributes": [("collection", "native"), ("reason", reason)]} for row, reason in aside]),
        paths.EXCLUDED,
    )
    assert awaiting(32)["face_id"].to_pylist() == [f"f{n:02d}" for n in range(6, FACES)]


def test_without_faces_it_says_what_to_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FaceTableError, match="dvc repro detect"):
        awaiting(32)


def test_doubtful_faces_come_first():
    made = rows()[:6]
    for row, score in zip(made, [0.9, None, 0.7, 0.9, 0.95, 0.6], strict=True):
        row["score"] = score
    (sheet,) = deal(table(made), "doubtful")
    assert [(group.name, group.rows) for group in sheet] == [(None, [1, 5, 2, 0, 3, 4])]  # 0 is smaller than 3


def test_identities_stand_together_and_the_nameless_last():
    sheets = deal(table(rows()), "identity", 20)
    names = [group.name for sheet in sheets for group in sheet]
    named = [name for name in names if name is not None]
    assert named == sorted(set(named)), "no identity is torn"
    assert names[: len(named)] == named


@given(
    names=st.lists(st.sampled_from(["a", "b", "c", None]), max_size=60),
    size=st.integers(1, 12),
    order=st.sampled_from(["doubtful", "identity", "photo"]),
)
def test_every_face_is_on_one_sheet_and_none_is_too_long(names, size, order):
    base = rows()[0]
    faces = table([base | {"face_id": str(n), "identity": name, "photo_id": name} for n, name in enumerate(names)])
    sheets = deal(faces, order, size)
    dealt = [row for sheet in sheets for group in sheet for row in group.rows]
    assert sorted(dealt) == list(range(len(names)))
    assert all(0 < sum(len(group.rows) for group in sheet) <= size for sheet in sheets)
    assert deal(faces, order, size) == sheets


SAID = """face_id,verdict,labeller,at,note
f00,face,{0},2024-05-01,
f01,{1},{0},2024-05-01,
f02,unsure,{0},2024-05-01,
"""


def test_what_labellers_disagree_on_or_are_unsure_of_is_disputed():
    anna, boris = (
        parse(SAID.format(name, word), name, name) for name, word in (("anna", "face"), ("boris", "not_face"))
    )
    settled = parse("face_id,verdict,labeller,at,note\nf02,face,eva,2024-05-02,\n", "_adjudicated", "")
    found = disputed(table(rows()), [*anna, *boris, *settled])
    assert found["face_id"].to_pylist() == ["f01", "f02"]


def queue(session) -> list[str]:
    return [session.ids[row] for sheet in session.sheets for group in sheet for row in group.rows]


def test_gold_faces_stand_unmarked_among_the_others(project):
    """Those that a list names and those that were adjudicated; half of them in each half of the queue."""
    paths.VERDICTS.mkdir(parents=True)
    settled = "face_id,verdict,labeller,at,note\nf03,face,eva,2024-05-02,\nf04,not_face,eva,2024-05-02,\n"
    (paths.VERDICTS / "_adjudicated.csv").write_text(settled)
    paths.GOLD.write_text("face_id,verdict\nf00,face\nf01,face\nf02,not_face\nf05,face\n")
    gold = {f"f{n:02d}" for n in range(6)}
    session = open_session("anna", "doubtful", adjudicate=False)
    assert sum(face in gold for face in queue(session)[: FACES // 2]) == 3
    cards = [card for index in range(len(session.sheets)) for card in session.sheet(index)]
    assert len({frozenset(card) for card in cards}) == 1, "a card of another kind would tell"
    assert not any("gold" in str(card).lower().replace(card["image"].lower(), "") for card in cards)
    grouped = open_session("boris", "photo", adjudicate=False)
    assert queue(grouped)[:6] == sorted(gold), "where faces are grouped they stay in their group"


def test_suspected_faces_come_first(project):
    with pytest.raises(ResultError, match="lrfr label-errors"):
        open_session("anna", "label-errors", adjudicate=False)
    paths.LABEL_ERRORS.parent.mkdir(parents=True, exist_ok=True)
    rows = "f05,wrong_identity,0.4,ann\nf70,not_a_face,0.7,\nf05,not_a_face,0.9,\ngone,not_a_face,0.99,\n"
    paths.LABEL_ERRORS.write_text(f"face_id,kind,error_probability,suggested\n{rows}")
    assert queue(open_session("anna", "label-errors", adjudicate=False))[:3] == ["f05", "f70", "f00"]
    for content in ("face,error_probability\nf05,much\n", f"face_id,error_probability\n{'f' * 200_000},0.4\n"):
        paths.LABEL_ERRORS.write_text(content)
        with pytest.raises(ResultError, match="not a list of error_probabilities"):
            open_session("anna", "label-errors", adjudicate=False)
